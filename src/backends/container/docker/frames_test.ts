import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BrokenFrames, demultiplex } from "./frames.ts";

function frame(stream: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8 + payload.length);
  bytes[0] = stream;
  new DataView(bytes.buffer).setUint32(4, payload.length);
  bytes.set(payload, 8);
  return bytes;
}

const join = (parts: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...part]));

async function* cut(bytes: Uint8Array, sizes: readonly number[]) {
  let at = 0;
  for (const size of sizes) {
    yield bytes.subarray(at, at + size);
    at += size;
  }
  yield bytes.subarray(at);
}

async function read(chunks: AsyncIterable<Uint8Array>) {
  const out: Uint8Array[] = [];
  const error: Uint8Array[] = [];
  for await (const piece of demultiplex(chunks, (one) => error.push(one))) {
    out.push(piece.slice());
  }
  return { out: join(out), error: join(error) };
}

test("however a stream is cut, both streams come out whole", async () => {
  const frames = fc.array(
    fc.tuple(fc.constantFrom(1, 2), fc.uint8Array({ maxLength: 40 })),
    { maxLength: 12 },
  );
  const cuts = fc.array(fc.integer({ min: 0, max: 17 }), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(frames, cuts, async (given, sizes) => {
      const bytes = join(given.map(([stream, part]) => frame(stream, part)));
      const found = await read(cut(bytes, sizes));
      const of = (wanted: number) =>
        join(
          given.filter(([stream]) => stream === wanted).map((one) => one[1]),
        );
      assert.deepEqual(found.out, of(1));
      assert.deepEqual(found.error, of(2));
    }),
  );
});

test("a frame as long as can be said is handed out as it comes", async () => {
  const head = Uint8Array.from([1, 0, 0, 0, 255, 255, 255, 255]);
  const found = await read(cut(join([head, new Uint8Array(100)]), [8, 50]));
  assert.equal(found.out.length, 100);
});

test("what is no frame ends the stream", async () => {
  const lines = new TextEncoder().encode("not a frame at all");
  await assert.rejects(read(cut(lines, [3])), BrokenFrames);
  await assert.rejects(
    read(cut(Uint8Array.from([1, 0, 1, 0, 0, 0, 0, 0]), [])),
    BrokenFrames,
  );
});

test("a head that is cut off is nothing", async () => {
  const found = await read(cut(Uint8Array.from([1, 0, 0]), []));
  assert.equal(found.out.length, 0);
});
