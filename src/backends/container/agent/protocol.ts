// Frames between host and agent: length, kind, id, payload; all numbers
// little-endian. guests/agent/src/wire.rs is the other side. Whatever comes from
// the agent is the guest's, as far as the host knows: nothing of it is trusted.

/** Version of the protocol. */
export const version = 1;

/** Longest payload of a frame. */
export const maxPayload = (1 << 20) + (64 << 10);

const _headBytes = 9;

/** Kinds of frames that the host sends. */
export const Ask = {
  config: 1,
  ping: 2,
  write: 3,
  read: 4,
  list: 5,
  stat: 6,
  mkdir: 7,
  symlink: 8,
  remove: 9,
  start: 16,
  input: 17,
  inputEnd: 18,
  credit: 19,
  kill: 20,
  settle: 21,
  resume: 22,
  listen: 32,
  tunnelData: 33,
  tunnelEnd: 34,
  tunnelCredit: 35,
  tunnelClose: 36,
} as const;

/** Kinds of frames that the agent sends. */
export const Tell = {
  hello: 1,
  answer: 3,
  fault: 4,
  part: 5,
  started: 16,
  output: 17,
  inputCredit: 18,
  ended: 19,
  settled: 20,
  tunnelOpen: 32,
  tunnelData: 33,
  tunnelEnd: 34,
  tunnelCredit: 35,
  tunnelClose: 36,
} as const;

/** A frame. */
export interface Frame {
  /** What it is. */
  readonly kind: number;
  /** Of which request, run or connection. */
  readonly id: number;
  /** The rest; the reader's own. */
  readonly payload: Uint8Array;
}

/** Bytes that are no frames, or a payload that is not what its kind says. */
export class Malformed extends Error {
  /** Says what is wrong. */
  constructor(what: string) {
    super(`the agent's answer is no valid one: ${what}`);
  }
}

/** The head of a frame, and the payload's fields before its bytes. */
export function frameBytes(
  kind: number,
  id: number,
  fields: Uint8Array,
  bytes?: Uint8Array,
): Uint8Array {
  const rest = bytes?.byteLength ?? 0;
  const length = fields.byteLength + rest;
  if (length > maxPayload) throw new RangeError("a frame that is too long");
  const frame = new Uint8Array(_headBytes + length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, length, true);
  view.setUint8(4, kind);
  view.setUint32(5, id, true);
  frame.set(fields, _headBytes);
  if (bytes) frame.set(bytes, _headBytes + fields.byteLength);
  return frame;
}

/** Puts frames together from the pieces in which they arrive; holds one frame at most. */
export class FrameReader {
  readonly #head = new Uint8Array(_headBytes);
  #headBytes = 0;
  #payload: Uint8Array | undefined;
  #at = 0;

  /** The frames that are complete with this piece. */
  *take(piece: Uint8Array): Generator<Frame> {
    let from = 0;
    for (;;) {
      if (!this.#payload) {
        const part = piece.subarray(from, from + _headBytes - this.#headBytes);
        this.#head.set(part, this.#headBytes);
        this.#headBytes += part.byteLength;
        from += part.byteLength;
        if (this.#headBytes < _headBytes) return;
        const length = new DataView(this.#head.buffer).getUint32(0, true);
        if (length > maxPayload) throw new Malformed("a frame is too long");
        this.#payload = new Uint8Array(length);
        this.#at = 0;
      }
      const part = piece.subarray(
        from,
        from + this.#payload.byteLength - this.#at,
      );
      this.#payload.set(part, this.#at);
      this.#at += part.byteLength;
      from += part.byteLength;
      if (this.#at < this.#payload.byteLength) return;
      const view = new DataView(this.#head.buffer);
      const frame = {
        kind: view.getUint8(4),
        id: view.getUint32(5, true),
        payload: this.#payload,
      };
      this.#payload = undefined;
      this.#headBytes = 0;
      yield frame;
    }
  }
}

const _encoder = new TextEncoder();

/** Writes the fields of a payload. */
export class FieldWriter {
  #bytes = new Uint8Array(64);
  #length = 0;

  #view(more: number): DataView {
    const needed = this.#length + more;
    if (needed > this.#bytes.byteLength) {
      const grown = new Uint8Array(Math.max(needed, this.#length * 2));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    const view = new DataView(this.#bytes.buffer, this.#length, more);
    this.#length = needed;
    return view;
  }

  /** One byte. */
  u8(value: number): this {
    this.#view(1).setUint8(0, value);
    return this;
  }

  /** Four bytes. */
  u32(value: number): this {
    this.#view(4).setUint32(0, value, true);
    return this;
  }

  /** Eight bytes, of a whole number that a double holds. */
  u64(value: number): this {
    this.#view(8).setBigInt64(0, BigInt(Math.trunc(value)), true);
    return this;
  }

  /** Text or bytes, with their length before them. */
  bytes(value: string | Uint8Array): this {
    const bytes = typeof value === "string" ? _encoder.encode(value) : value;
    this.u32(bytes.byteLength);
    const at = this.#length;
    this.#view(bytes.byteLength);
    this.#bytes.set(bytes, at);
    return this;
  }

  /** Texts, with their number before them. */
  list(values: readonly string[]): this {
    this.u32(values.length);
    for (const value of values) this.bytes(value);
    return this;
  }

  /** All of it. */
  done(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

/** Reads the fields of a payload; whatever is not there is {@linkcode Malformed}. */
export class FieldReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  /** Of these bytes. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(
      bytes.buffer,
      bytes.byteOffset,
      bytes.byteLength,
    );
  }

  #take(length: number): number {
    const at = this.#at;
    if (length > this.#bytes.byteLength - at) throw new Malformed("it is cut");
    this.#at += length;
    return at;
  }

  /** How much is left. */
  get left(): number {
    return this.#bytes.byteLength - this.#at;
  }

  /** One byte. */
  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  /** Four bytes. */
  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** Four bytes with a sign. */
  i32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  /** Eight bytes, which have to be a number that a double holds. */
  u64(): number {
    const value = Number(this.#view.getBigUint64(this.#take(8), true));
    if (!Number.isSafeInteger(value)) throw new Malformed("a number is huge");
    return value;
  }

  /** Eight bytes with a sign, as near as a double comes. */
  i64(): number {
    return Number(this.#view.getBigInt64(this.#take(8), true));
  }

  /** Bytes with their length before them. */
  bytes(): Uint8Array {
    const length = this.u32();
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** All that is left. */
  rest(): Uint8Array {
    return this.#bytes.subarray(this.#take(this.left));
  }
}
