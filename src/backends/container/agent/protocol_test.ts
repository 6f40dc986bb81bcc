import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  FieldReader,
  FieldWriter,
  type Frame,
  frameBytes,
  FrameReader,
  Malformed,
  maxPayload,
} from "./protocol.ts";

const bytes = fc.uint8Array({ maxLength: 300 });

/** Cuts bytes at these places. */
function* cut(whole: Uint8Array, places: readonly number[]) {
  let at = 0;
  for (const place of [...places].sort((a, b) => a - b)) {
    const next = Math.min(whole.byteLength, place);
    yield whole.subarray(at, next);
    at = next;
  }
  yield whole.subarray(at);
}

test("frames come back whole, however they are cut", () => {
  const frame = fc.tuple(fc.nat(255), fc.nat(), bytes);
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 8 }),
      fc.array(fc.nat(2_000), { maxLength: 20 }),
      (frames, places) => {
        const whole = new Uint8Array(
          frames.flatMap(([kind, id, payload]) => [
            ...frameBytes(kind, id, payload),
          ]),
        );
        const reader = new FrameReader();
        const seen: Frame[] = [];
        for (const piece of cut(whole, places)) {
          seen.push(...reader.take(piece));
        }
        assert.deepEqual(
          seen.map(({ kind, id, payload }) => [kind, id, [...payload]]),
          frames.map(([kind, id, payload]) => [kind, id, [...payload]]),
        );
      },
    ),
  );
});

test("any bytes are frames or malformed, and no more is held than one frame", () => {
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 10 }), (pieces) => {
      const reader = new FrameReader();
      try {
        for (const piece of pieces) {
          for (const { payload } of reader.take(piece)) {
            assert.ok(payload.byteLength <= maxPayload);
          }
        }
      } catch (error) {
        assert.ok(error instanceof Malformed);
      }
    }),
  );
});

test("a frame that says it is longer than a frame may be is refused by its head", () => {
  const head = new Uint8Array(9);
  new DataView(head.buffer).setUint32(0, maxPayload + 1, true);
  assert.throws(() => [...new FrameReader().take(head)], Malformed);
});

test("fields come back as they were written", () => {
  fc.assert(
    fc.property(
      fc.nat(255),
      fc.nat(),
      fc.maxSafeNat(),
      fc.string({ unit: "binary" }),
      bytes,
      (small, number, large, text, rest) => {
        const written = new FieldWriter().u8(small).u32(number).u64(large)
          .bytes(text).list([text, "x"]).bytes(rest).done();
        const reader = new FieldReader(written);
        const word = () => new TextDecoder().decode(reader.bytes());
        assert.equal(reader.u8(), small);
        assert.equal(reader.u32(), number);
        assert.equal(reader.u64(), large);
        const clean = new TextDecoder().decode(new TextEncoder().encode(text));
        assert.equal(word(), clean.replace(/^\ufeff/, ""));
        assert.equal(reader.u32(), 2);
        word();
        assert.equal(word(), "x");
        assert.deepEqual(reader.bytes(), rest);
        assert.equal(reader.left, 0);
      },
    ),
  );
});

test("fields that are not there are malformed", () => {
  fc.assert(
    fc.property(
      bytes,
      fc.array(fc.nat(5), { maxLength: 40 }),
      (given, asks) => {
        const reader = new FieldReader(given);
        try {
          for (const ask of asks) {
            [
              () => reader.u8(),
              () => reader.u32(),
              () => reader.u64(),
              () => reader.i64(),
              () => reader.bytes(),
              () => reader.i32(),
            ][ask]!();
          }
        } catch (error) {
          assert.ok(error instanceof Malformed);
        }
        assert.ok(reader.left >= 0 && reader.left <= given.byteLength);
      },
    ),
  );
});
