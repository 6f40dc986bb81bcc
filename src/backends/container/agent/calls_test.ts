import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseSessionOptions } from "../../../options.ts";
import type { RunRequest, ToolReply } from "../../backend.ts";
import { type Done, DriverCalls } from "./calls.ts";

const { limits } = parseSessionOptions({ backend: "docker" });

function word(kind: number, id: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(9 + body.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, body.byteLength, true);
  view.setUint8(4, kind);
  view.setUint32(5, id, true);
  bytes.set(body, 9);
  return bytes;
}

function callBody(name: string, json: string): Uint8Array {
  const named = new TextEncoder().encode(name);
  const text = new TextEncoder().encode(json);
  return new Uint8Array([
    named.byteLength & 255,
    named.byteLength >> 8,
    ...named,
    ...text,
  ]);
}

function conversation(
  toolBytes = limits.toolBytes,
  answer: ToolReply = { json: "1" },
) {
  const called: [string, string][] = [];
  const sent: Uint8Array[] = [];
  const ends: Done[] = [];
  const request: RunRequest = {
    code: "",
    stdin: "",
    args: [],
    timeMs: null,
    onCall: (name, input) => {
      called.push([name, new TextDecoder().decode(input)]);
      return Promise.resolve(answer);
    },
  };
  const calls = new DriverCalls(request, { ...limits, toolBytes }, ["add"], {
    ready: () => {},
    done: (done) => void ends.push(done),
    send: (bytes) => void sent.push(bytes),
  });
  return { calls, called, sent, ends };
}

const settled = () => new Promise((next) => setTimeout(next, 0));
const status = (bytes: Uint8Array) => bytes[9];

test("a call in single bytes reaches its tool once", async () => {
  const { calls, called, sent } = conversation();
  for (const byte of word(2, 7, callBody("add", '{"a":1}'))) {
    calls.take(new Uint8Array([byte]));
  }
  await settled();
  assert.deepEqual(called, [["add", '{"a":1}']]);
  assert.equal(status(sent[0]!), 0);
});

test("a call that is too large is not kept, and answered all the same", async () => {
  const { calls, called, sent } = conversation(1_000);
  const body = callBody("add", `{"a":"${"x".repeat(5_000)}"}`);
  const bytes = word(2, 1, body);
  for (let at = 0; at < bytes.byteLength; at += 100) {
    calls.take(bytes.subarray(at, at + 100));
  }
  calls.take(word(2, 2, callBody("add", "{}")));
  await settled();
  assert.deepEqual(called, [["add", "{}"]]);
  assert.deepEqual(sent.map(status), [3, 0]);
});

test("an unknown tool, and a call without a name", async () => {
  const { calls, called, sent } = conversation();
  calls.take(word(2, 1, callBody("other", "{}")));
  calls.take(word(2, 2, new Uint8Array([255, 255, 1])));
  await settled();
  assert.deepEqual(called, []);
  assert.deepEqual(sent.map(status), [1, 2]);
  assert.equal(calls.failed.get(1)?.tool, "other");
});

test("answers for a run that is over are not sent", async () => {
  const { calls, sent } = conversation();
  calls.take(word(2, 1, callBody("add", "{}")));
  calls.end();
  await settled();
  assert.deepEqual(sent, []);
});

test("any words harm nobody", async () => {
  const some = fc.tuple(
    fc.nat(4),
    fc.nat(),
    fc.uint8Array({ maxLength: 40 }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(some, { maxLength: 10 }),
      fc.uint8Array({ maxLength: 60 }),
      async (words, rest) => {
        const { calls, called, ends } = conversation();
        for (const [kind, id, body] of words) calls.take(word(kind, id, body));
        calls.take(rest);
        await settled();
        assert.ok(called.every(([name]) => name === "add"));
        for (const { exitCode } of ends) {
          assert.ok(exitCode >= 0 && exitCode < 256);
        }
      },
    ),
    { numRuns: 60 },
  );
});
