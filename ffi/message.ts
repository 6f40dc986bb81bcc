import { eventHeaderBytes } from "./abi.ts";

const _encoder = new TextEncoder();
const _decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const _keptBytes = 1_048_576;

/** Encodes messages into one buffer that is used again and again. */
export class MessageWriter {
  /** The buffer; the message is its beginning. */
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(4_096);

  /** Writes a message and returns its length. */
  write(head: string, ...payload: readonly Uint8Array[]): number {
    let size = 4 + 3 * head.length;
    for (const part of payload) size += part.byteLength;
    this.#reserve(size);
    const headLength =
      _encoder.encodeInto(head, this.bytes.subarray(4)).written;
    _putU32(this.bytes, headLength);
    let end = 4 + headLength;
    for (const part of payload) {
      this.bytes.set(part, end);
      end += part.byteLength;
    }
    return end;
  }

  #reserve(size: number): void {
    const have = this.bytes.byteLength;
    if (size > have || (have > _keptBytes && size <= _keptBytes)) {
      this.bytes = new Uint8Array(Math.max(size, 4_096));
    }
  }
}

/** A message that came from the library. */
export interface Message {
  /** The JSON object in front. */
  readonly head: Record<string, unknown>;
  /** The bytes behind it, in the buffer they came in. */
  readonly payload: Uint8Array;
}

/** Reads a message; throws a RangeError or SyntaxError when it is none. */
export function readMessage(bytes: Uint8Array): Message {
  if (bytes.byteLength < 4) {
    throw new RangeError("a message has 4 bytes at least");
  }
  const end = 4 + _u32(bytes, 0);
  if (end > bytes.byteLength) {
    throw new RangeError("a message's head leaves it");
  }
  const head = JSON.parse(_decoder.decode(bytes.subarray(4, end)));
  if (typeof head !== "object" || head === null) {
    throw new SyntaxError("a head is no object");
  }
  return { head, payload: bytes.subarray(end) };
}

/**
 * Hands every event in the first `length` bytes to `each`; the body is a view
 * that the next take overwrites.
 */
export function readEvents(
  bytes: Uint8Array,
  length: number,
  each: (request: number, kind: number, body: Uint8Array) => void,
): void {
  for (let at = 0; at < length;) {
    if (at + eventHeaderBytes > length) {
      throw new RangeError("an event's header leaves the buffer");
    }
    const end = at + eventHeaderBytes + _u32(bytes, at);
    if (end > length) throw new RangeError("an event's body leaves the buffer");
    each(
      _u32(bytes, at + 4),
      bytes[at + 8]!,
      bytes.subarray(at + eventHeaderBytes, end),
    );
    at = end;
  }
}

/** The size that a take asked for. */
export function neededBytes(buffer: Uint8Array): number {
  return _u32(buffer, 0);
}

function _u32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 |
    bytes[at + 3]! << 24) >>> 0;
}

function _putU32(bytes: Uint8Array, value: number): void {
  bytes[0] = value;
  bytes[1] = value >>> 8;
  bytes[2] = value >>> 16;
  bytes[3] = value >>> 24;
}
