import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { type Schema, tool, ToolRefusal } from "./tools.ts";

const context = { signal: new AbortController().signal };

test("input and output go through their schemas, which may change them", async () => {
  const double = tool({
    input: z.object({ n: z.coerce.number() }),
    output: z.number().transform((n) => ({ n })),
    run: ({ n }) => n * 2,
  });
  assert.equal(await double.call({ n: "21" }, context), '{"n":42}');
});

test("refused input never reaches the function and says where it is wrong", async () => {
  let called = false;
  const strict = tool({
    input: z.object({ a: z.object({ b: z.string() }) }),
    output: z.any(),
    run: () => called = true,
  });
  await assert.rejects(strict.call({ a: { b: 1 } }, context), (error) => {
    assert.ok(error instanceof ToolRefusal);
    assert.match(error.message, /a\.b/);
    return true;
  });
  assert.equal(called, false);
});

test("any Standard Schema will do, also an asynchronous one", async () => {
  const even: Schema<number> = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value) =>
        Promise.resolve(
          typeof value === "number" && value % 2 === 0
            ? { value }
            : { issues: [{ message: "not even" }] },
        ),
    },
  };
  const half = tool({ input: even, output: even, run: (n) => n / 2 });
  assert.equal(await half.call(8, context), "4");
  await assert.rejects(half.call(3, context), /input refused: not even/);
  await assert.rejects(half.call(2, context), /output refused: not even/);
});

test("no answer is null, and what JSON cannot say is an error", async () => {
  const answer = (value: unknown) =>
    tool({ input: z.any(), output: z.any(), run: () => value })
      .call({}, context);
  assert.equal(await answer(undefined), "null");
  await assert.rejects(answer(1n), TypeError);
  await assert.rejects(answer(() => 1), /not a JSON value/);
});
