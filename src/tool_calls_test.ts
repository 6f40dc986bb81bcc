import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { parseSessionOptions } from "./options.ts";
import { ToolCalls } from "./tool_calls.ts";
import { type Tool, tool } from "./tools.ts";

const any = { input: z.any(), output: z.any() };
const json = (value: unknown) =>
  new TextEncoder().encode(JSON.stringify(value));

function calls(tools: Record<string, Tool>, limits = {}): ToolCalls {
  return new ToolCalls(tools, parseSessionOptions({ limits }).limits);
}

const never = new AbortController().signal;

test("an answer, a failure and a refusal", async () => {
  const fault = new Error("no luck");
  const made = calls({
    echo: tool({ ...any, run: (value) => value }),
    bad: tool({ ...any, run: () => Promise.reject(fault) }),
    strict: tool({ input: z.number(), output: z.any(), run: () => 1 }),
  });
  assert.deepEqual(await made.answer("echo", json([1]), never, 1), {
    json: "[1]",
  });
  assert.deepEqual(await made.answer("bad", json(0), never, 1), {
    error: "failed",
    message: "bad: no luck",
  });
  assert.equal(made.failures.get(1), fault);
  const refused = await made.answer("strict", json("x"), never, 1);
  assert.equal("error" in refused && refused.error, "input");
  const broken = await made.answer("echo", new Uint8Array([0xff]), never, 1);
  assert.equal("error" in broken && broken.error, "input");
  for (const name of ["none", "toString", "__proto__"]) {
    const missing = await made.answer(name, json(0), never, 1);
    assert.equal("error" in missing && missing.error, "failed");
  }
  assert.deepEqual(made.log.map(({ ok }) => ok), [
    true,
    false,
    false,
    false,
    false,
    false,
    false,
  ]);
});

test("bytes of an answer are counted in UTF-8", async () => {
  const say = tool({ ...any, run: (text: string) => text });
  const made = calls({ say }, { toolBytes: 10 });
  assert.ok("json" in await made.answer("say", json("x".repeat(8)), never, 1));
  assert.ok("error" in await made.answer("say", json("x".repeat(9)), never, 1));
  assert.ok("json" in await made.answer("say", json("é".repeat(4)), never, 1));
  assert.ok("error" in await made.answer("say", json("é".repeat(5)), never, 1));
});

test("a call that takes too long, or whose run has ended, is told so", async () => {
  const reasons: unknown[] = [];
  const hang = tool({
    ...any,
    run: (_, { signal }) =>
      new Promise(() => {
        signal.addEventListener("abort", () => reasons.push(signal.reason));
      }),
  });
  const late = await calls({ hang }, { toolTimeMs: 20 })
    .answer("hang", json(0), never, 1);
  assert.deepEqual(late, {
    error: "limit",
    message: "hang took longer than 20 ms",
  });
  const run = new AbortController();
  calls({ hang }, { toolTimeMs: 100 }).answer("hang", json(0), run.signal, 2);
  const ended = new Error("run ended");
  await Promise.resolve();
  run.abort(ended);
  assert.equal(reasons.at(-1), ended);
});
