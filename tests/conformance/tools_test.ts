/** Functions of the host that guest code calls. */
import assert from "node:assert/strict";
import { SandboxError, tool } from "@mote/sandbox";
import { z } from "zod";
import {
  assertHealthy,
  each,
  ended,
  refused,
  tools,
  withSession,
} from "./targets.ts";

const add = tool({
  input: z.object({ a: z.number(), b: z.number() }),
  output: z.object({ sum: z.number() }),
  run: ({ a, b }) => ({ sum: a + b }),
});

const echo = tool({ input: z.any(), output: z.any(), run: (value) => value });

const nothing = { input: z.any(), output: z.any() };

each(
  "a tool that answers at once",
  (target) =>
    withSession(target, { tools: { add } }, async (session) => {
      const result = await session.run(
        target.code.tool("add", { a: 2, b: 40 }),
      );
      assert.equal(result.stdout, '{"sum":42}\n', result.stderr);
      const [call] = result.receipt.toolCalls;
      assert.equal(call?.name, "add");
      assert.equal(call?.ok, true);
    }),
  tools,
);

each("a tool that answers later", (target) => {
  const later = tool({
    ...nothing,
    run: async () => {
      await new Promise((next) => setTimeout(next, 0));
      return "later";
    },
  });
  return withSession(target, { tools: { later } }, async (session) => {
    assert.equal(
      (await session.run(target.code.tool("later", {}))).stdout,
      '"later"\n',
    );
  });
}, tools);

each(
  "any JSON value goes both ways",
  (target) =>
    withSession(target, { tools: { echo } }, async (session) => {
      const value = {
        text: 'Grüße "🦀"\n\\',
        list: [1, -2.5, 1e21, true, null, []],
        nested: { "": { "a b": 0 } },
      };
      const { stdout, stderr } = await session.run(
        target.code.tool("echo", { value }),
      );
      assert.deepEqual(JSON.parse(stdout || "0"), { value }, stderr);
    }),
  tools,
);

each("an answer of 1 MiB", (target) => {
  const big = tool({ ...nothing, run: () => "x".repeat(1 << 20) });
  return withSession(target, { tools: { big } }, async (session) => {
    assert.equal(
      (await session.run(target.code.tool("big", {}))).stdout.length,
      (1 << 20) + 3,
    );
  });
}, tools);

each("input that the schema refuses never reaches the tool", (target) => {
  let called = 0;
  const strict = tool({
    input: z.object({ n: z.number() }),
    output: z.any(),
    run: () => void called++,
  });
  return withSession(target, { tools: { strict } }, async (session) => {
    const caught = await session.run(
      target.code.toolCaught("strict", { n: "seven" }),
    );
    assert.match(caught.stdout, /^caught .*input refused.*n:/s, caught.stderr);
    const uncaught = await session.run(target.code.tool("strict", {}));
    assert.equal(uncaught.exitCode, 1);
    assert.match(uncaught.stderr, /input refused/);
    assert.equal(called, 0);
  });
}, tools);

each("an answer that the schema refuses never reaches the guest", (target) => {
  const wrong = tool({
    input: z.any(),
    output: z.object({ n: z.number() }),
    // deno-lint-ignore no-explicit-any -- garbage on purpose
    run: () => "garbage" as any,
  });
  return withSession(target, { tools: { wrong } }, async (session) => {
    const caught = await session.run(target.code.toolCaught("wrong", {}));
    assert.match(caught.stdout, /^caught .*output refused/);
    await refused(session.run(target.code.tool("wrong", {})), "TOOL_FAILED");
    await assertHealthy(target, session);
  });
}, tools);

each("a tool that throws: the guest may catch it", (target) => {
  const bad = tool({
    ...nothing,
    run: () => {
      throw new Error("no weather today");
    },
  });
  return withSession(target, { tools: { bad } }, async (session) => {
    const result = await session.run(target.code.toolCaught("bad", {}));
    assert.match(result.stdout, /^caught .*no weather today/);
    assert.equal(result.exitCode, 0);
    assert.equal(result.receipt.toolCalls[0]?.ok, false);
  });
}, tools);

each(
  "a tool that throws, uncaught: TOOL_FAILED with the error as cause",
  (target) => {
    const fault = new TypeError("no weather today");
    const bad = tool({ ...nothing, run: () => Promise.reject(fault) });
    return withSession(target, { tools: { bad } }, async (session) => {
      const error = await refused(
        session.run(target.code.tool("bad", {})),
        "TOOL_FAILED",
      );
      assert.equal(error.cause, fault);
      assert.equal(error.result?.exitCode, 1);
      assert.match(error.result?.stderr ?? "", /no weather today/);
      assert.match(error.message, /bad/);
      await assertHealthy(target, session);
    });
  },
  tools,
);

for (
  const [what, thrown] of [
    ["undefined", undefined],
    ["null", null],
    ["a string", "just text"],
    ["an object", { no: "error" }],
    [
      "a SandboxError",
      new SandboxError("INTERNAL", "Cannot do it: no. Do not."),
    ],
  ] as const
) {
  each(`a tool that throws ${what}`, (target) => {
    const odd = tool({ ...nothing, run: () => Promise.reject(thrown) });
    return withSession(target, { tools: { odd } }, async (session) => {
      const error = await refused(
        session.run(target.code.tool("odd", {})),
        "TOOL_FAILED",
      );
      assert.equal(error.cause, thrown);
      await assertHealthy(target, session);
    });
  }, tools);
}

const loop: Record<string, unknown> = {};
loop.self = loop;

for (
  const [what, answer] of [
    ["a circle", loop],
    ["a bigint", 1n],
    ["a function", () => 1],
    ["a symbol", Symbol("s")],
    ["an object whose toJSON throws", {
      toJSON() {
        throw new Error("toJSON");
      },
    }],
  ] as const
) {
  each(`a tool that answers with ${what}`, (target) => {
    const odd = tool({ ...nothing, run: () => answer });
    return withSession(target, { tools: { odd } }, async (session) => {
      const caught = await session.run(target.code.toolCaught("odd", {}));
      assert.match(caught.stdout, /^caught /, caught.stderr);
      await refused(session.run(target.code.tool("odd", {})), "TOOL_FAILED");
      await assertHealthy(target, session);
    });
  }, tools);
}

each("a tool that hangs is ended by the time of one call", (target) => {
  let aborted = false;
  const hang = tool({
    ...nothing,
    run: (_, { signal }) =>
      new Promise(() =>
        signal.addEventListener("abort", () => void (aborted = true))
      ),
  });
  const options = { tools: { hang }, limits: { toolTimeMs: 200 } };
  return withSession(target, options, async (session) => {
    const caught = await session.run(target.code.toolCaught("hang", {}));
    assert.match(caught.stdout, /^caught .*200 ms/, caught.stderr);
    assert.equal(aborted, true);
    await refused(session.run(target.code.tool("hang", {})), "TOOL_FAILED");
    await assertHealthy(target, session);
  });
}, tools);

each("a tool that hangs is ended by the time of the run", (target) => {
  const hang = tool({ ...nothing, run: () => new Promise(() => {}) });
  return withSession(target, { tools: { hang } }, async (session) => {
    await ended(
      session.run(target.code.tool("hang", {}), { timeoutMs: 200 }),
      "TIMED_OUT",
    );
    await assertHealthy(target, session);
  });
}, tools);

each(
  "a tool that hangs does not keep the session from closing",
  async (target) => {
    let called: () => void = () => {};
    const calling = new Promise<void>((done) => called = done);
    const hang = tool({
      ...nothing,
      run: () => {
        called();
        return new Promise(() => {});
      },
    });
    const session = await target.open({ tools: { hang } });
    const run = refused(
      session.run(target.code.tool("hang", {})),
      "SESSION_CLOSED",
    );
    await calling;
    await session.close();
    await run;
  },
  tools,
);

each(
  "more calls than the limit",
  (target) =>
    withSession(
      target,
      { tools: { echo }, limits: { toolCalls: 5 } },
      async (session) => {
        assert.equal(
          (await session.run(target.code.toolOften("echo", 5))).stdout,
          "called\n",
        );
        const error = await refused(
          session.run(target.code.toolOften("echo", 6)),
          "TOOL_FAILED",
        );
        assert.equal(error.result?.limitHit, "tools");
        assert.equal(
          (await session.run(target.code.toolOften("echo", 5))).stdout,
          "called\n",
        );
      },
    ),
  tools,
);

each("input and answers larger than the limit", (target) => {
  const big = tool({ ...nothing, run: () => "x".repeat(5_000) });
  const options = { tools: { echo, big }, limits: { toolBytes: 2_000 } };
  return withSession(target, options, async (session) => {
    const answer = await session.run(target.code.toolCaught("big", {}));
    assert.match(answer.stdout, /^caught .*2[_,]?000 bytes/, answer.stderr);
    const input = await session.run(
      target.code.toolCaught("echo", { text: "x".repeat(3_000) }),
    );
    assert.match(input.stdout, /^caught .*2[_,]?000 bytes/, input.stderr);
    await assertHealthy(target, session);
  });
}, tools);

each(
  "a tool that does not exist",
  (target) =>
    withSession(target, { tools: { echo } }, async (session) => {
      const result = await session.run(target.code.tool("missing", {}));
      assert.equal(result.exitCode, 1);
      assert.match(result.stderr, /missing/);
      await assertHealthy(target, session);
    }).catch((error) => {
      if (error?.code !== "TOOL_FAILED") throw error;
      assert.match(error.message, /missing/);
    }),
  tools,
);

each(
  "calls at once are answered as they come",
  (target) => {
    let open = 0;
    let most = 0;
    let release: () => void = () => {};
    const all = new Promise<void>((done) => release = done);
    const meet = tool({
      input: z.object({ n: z.number() }),
      output: z.number(),
      run: async ({ n }) => {
        most = Math.max(most, ++open);
        if (open === 3) release();
        await all;
        open--;
        return n * 10;
      },
    });
    return withSession(target, { tools: { meet } }, async (session) => {
      const code = target.code.toolsAtOnce!(
        [1, 2, 3].map((n) => ["meet", { n }] as const),
      );
      assert.equal(
        (await session.run(code, { timeoutMs: 10_000 })).stdout,
        "[10,20,30]\n",
      );
      assert.equal(most, 3);
    });
  },
  (target) =>
    tools(target) ??
      (target.code.toolsAtOnce ? undefined : "calls one at a time"),
);

each("sessions call tools at once, each its own", async (target) => {
  await Promise.all(Array.from({ length: 8 }, (_, n) => {
    const mine = tool({ ...nothing, run: () => n });
    return withSession(target, { tools: { mine } }, async (session) => {
      for (let run = 0; run < 3; run++) {
        assert.equal(
          (await session.run(target.code.tool("mine", {}))).stdout,
          `${n}\n`,
        );
      }
    });
  }));
}, tools);

each(
  "a tool may use the session of another guest",
  (target) =>
    withSession(target, {}, (inner) => {
      const nested = tool({
        ...nothing,
        run: async () =>
          (await inner.run(target.code.print("from inside"))).stdout,
      });
      return withSession(target, { tools: { nested } }, async (session) => {
        const { stdout } = await session.run(target.code.tool("nested", {}));
        assert.equal(stdout, '"from inside\\n"\n');
      });
    }),
  tools,
);
