import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { eventHeaderBytes } from "./abi.ts";
import {
  MessageWriter,
  neededBytes,
  readEvents,
  readMessage,
} from "./message.ts";

const bytes = fc.uint8Array({ maxLength: 200 });

test("a message comes back as it was written, whatever was written before", () => {
  const writer = new MessageWriter();
  fc.assert(fc.property(
    fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue()),
    fc.array(fc.oneof(bytes, fc.constant(new Uint8Array(9_000))), {
      maxLength: 3,
    }),
    (head, payload) => {
      const text = JSON.stringify(head);
      const length = writer.write(text, ...payload);
      const read = readMessage(writer.bytes.slice(0, length));
      assert.deepEqual(read.head, JSON.parse(text));
      assert.deepEqual([...read.payload], payload.flatMap((one) => [...one]));
    },
  ));
});

test("a large message does not keep its memory", () => {
  const writer = new MessageWriter();
  writer.write("{}", new Uint8Array(5_000_000));
  writer.write("{}");
  assert.ok(writer.bytes.byteLength <= 1_048_576);
});

test("bytes that are no message are refused, never misread", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (noise) => {
    let read;
    try {
      read = readMessage(noise);
    } catch (error) {
      assert.ok(error instanceof RangeError || error instanceof SyntaxError);
      return;
    }
    assert.equal(typeof read.head, "object");
    assert.ok(read.payload.byteLength <= noise.byteLength - 4);
  }));
});

const event = fc.record({
  request: fc.nat({ max: 0xffff_ffff }),
  kind: fc.integer({ min: 1, max: 5 }),
  body: bytes,
}, { noNullPrototype: true });

function encode(
  events: readonly { request: number; kind: number; body: Uint8Array }[],
): Uint8Array {
  const parts = events.map(({ request, kind, body }) => {
    const out = new Uint8Array(eventHeaderBytes + body.length);
    const view = new DataView(out.buffer);
    view.setUint32(0, body.length, true);
    view.setUint32(4, request, true);
    out[8] = kind;
    out.set(body, eventHeaderBytes);
    return [...out];
  });
  return Uint8Array.from(parts.flat());
}

test("events come out one by one, in order", () => {
  fc.assert(fc.property(fc.array(event), (events) => {
    const encoded = encode(events);
    const buffer = new Uint8Array(encoded.length + 7).fill(0xee);
    buffer.set(encoded);
    const seen: unknown[] = [];
    readEvents(buffer, encoded.length, (request, kind, body) => {
      seen.push({ request, kind, body: body.slice() });
    });
    assert.deepEqual(seen, events);
  }));
});

test("events that are cut off are a RangeError", () => {
  fc.assert(fc.property(
    fc.array(event, { minLength: 1 }),
    fc.integer({ min: 1, max: 11 }),
    (events, cut) => {
      const encoded = encode(events);
      assert.throws(
        () => readEvents(encoded, encoded.length - cut, () => {}),
        RangeError,
      );
    },
  ));
});

test("the size that a take asks for", () => {
  fc.assert(fc.property(fc.nat({ max: 0xffff_ffff }), (size) => {
    const buffer = new Uint8Array(8);
    new DataView(buffer.buffer).setUint32(0, size, true);
    assert.equal(neededBytes(buffer), size);
  }));
});
