const _headerBytes = 8;

/** A stream that is not one of Docker's. */
export class BrokenFrames extends Error {}

/**
 * Takes apart what an attached container says: frames with a head of 8 bytes, of which the first says whether it is
 * standard output (1) or error (2), and the last four how long it is. Hands out output as it comes and keeps nothing.
 */
export async function* demultiplex(
  chunks: AsyncIterable<Uint8Array>,
  onError: (bytes: Uint8Array) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const head = new Uint8Array(_headerBytes);
  let headLength = 0;
  let left = 0;
  for await (const chunk of chunks) {
    let at = 0;
    while (at < chunk.length) {
      if (left === 0) {
        const more = chunk.subarray(at, at + _headerBytes - headLength);
        head.set(more, headLength);
        headLength += more.length;
        at += more.length;
        if (headLength < _headerBytes) break;
        headLength = 0;
        if (head[0]! > 2 || head[1] || head[2] || head[3]) {
          throw new BrokenFrames("a frame begins with what is no head");
        }
        left = new DataView(head.buffer).getUint32(4);
        continue;
      }
      const piece = chunk.subarray(at, at + left);
      at += piece.length;
      left -= piece.length;
      if (head[0] === 2) onError(piece);
      else yield piece;
    }
  }
}
