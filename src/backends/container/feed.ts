import type { Channel } from "./box.ts";

const _pieceBytes = 262_144;

/** Sends bytes as fast as they are taken; never rejects, as whoever waits for an answer learns that the connection is gone. */
export async function feed(
  channel: Channel,
  bytes: Uint8Array,
): Promise<void> {
  try {
    for (let at = 0; at < bytes.byteLength; at += _pieceBytes) {
      await channel.write(bytes.subarray(at, at + _pieceBytes));
    }
  } catch {
    // The answer that does not come says it.
  }
}
