/** Output as it comes. */
import assert from "node:assert/strict";
import type { RunResult } from "@mote/sandbox";
import { assertHealthy, each, ended, withSession } from "./targets.ts";

each(
  "chunks add up to the result",
  (target) =>
    withSession(target, {}, async (session) => {
      const stream = session.stream(target.code.both("to out", "to err"));
      const seen = { stdout: "", stderr: "" };
      for await (const chunk of stream) {
        seen[chunk.stream] += chunk.text;
        assert.equal(new TextDecoder().decode(chunk.bytes), chunk.text);
      }
      assert.deepEqual(seen, { stdout: "to out\n", stderr: "to err\n" });
      const result = await stream.result;
      assert.equal(result.exitCode, 0);
      assert.equal(result.stdout, "to out\n");
      assert.equal(result.stderr, "to err\n");
    }),
);

each(
  "a chunk arrives while the code still runs; leaving the loop ends it",
  (target) =>
    withSession(target, {}, async (session) => {
      const stream = session.stream(target.code.printThenLoop("first"));
      const settled = stream.result.then(
        () => "ended by itself",
        (error) => error.code,
      );
      let text = "";
      for await (const chunk of stream) {
        text += chunk.text;
        if (text === "first\n") break;
      }
      assert.equal(text, "first\n");
      assert.equal(await settled, "ABORTED");
      await assertHealthy(target, session);
    }),
);

each(
  "a stream that nobody reads does not keep the session from closing",
  async (target) => {
    const session = await target.open();
    const stream = session.stream(target.code.outputFlood);
    stream.result.catch(() => {});
    await session.close();
  },
);

each(
  "characters split over chunks are put together",
  (target) =>
    withSession(target, {}, async (session) => {
      const crab = [...new TextEncoder().encode("🦀")];
      let text = "";
      let bytes = 0;
      for await (
        const chunk of session.stream(target.code.rawBytes([...crab, ...crab]))
      ) {
        text += chunk.text;
        bytes += chunk.bytes.length;
      }
      assert.equal(text, "🦀🦀");
      assert.equal(bytes, 8);
    }),
);

each(
  "callbacks get each part",
  (target) =>
    withSession(target, {}, async (session) => {
      let out = "";
      let err = "";
      const result = await session.run(target.code.both("to out", "to err"), {
        onStdout: (text) => void (out += text),
        onStderr: (text) => void (err += text),
      });
      assert.equal(out, "to out\n");
      assert.equal(err, "to err\n");
      assert.equal(result.stdout, out);
      assert.equal(result.stderr, err);
    }),
);

each(
  "an async callback holds the guest back, and loses nothing",
  (target) =>
    withSession(target, {}, async (session) => {
      let bytes = 0;
      let running = 0;
      const result = await session.run(target.code.bigOutput(3 << 20), {
        onStdout: async (_, part) => {
          assert.equal(++running, 1, "one part at a time");
          await new Promise((next) => setTimeout(next, 0));
          bytes += part.length;
          running--;
        },
      });
      assert.equal(bytes, 3 << 20);
      assert.equal(result.stdout.length, 3 << 20);
    }),
);

each(
  "a callback that throws ends the run with its error",
  (target) =>
    withSession(target, {}, async (session) => {
      const fault = new Error("the callback's own");
      const run = session.run(target.code.printThenLoop("x"), {
        onStdout: () => {
          throw fault;
        },
      });
      const error = await run.then(() => undefined, (error) => error);
      assert.ok(error === fault || error?.cause === fault, String(error));
      await assertHealthy(target, session);
    }),
);

each(
  "a limit ends the stream and the result says which",
  (target) =>
    withSession(target, {}, async (session) => {
      const stream = session.stream(target.code.printThenLoop("x"), {
        timeoutMs: 300,
      });
      const result: Promise<RunResult> = ended(stream.result, "TIMED_OUT");
      let thrown: unknown;
      try {
        for await (const _ of stream);
      } catch (error) {
        thrown = error;
      }
      assert.equal((await result).stdout, "x\n");
      if (thrown) assert.equal((thrown as { code?: string }).code, "TIMED_OUT");
      await assertHealthy(target, session);
    }),
);

each(
  "output that nobody takes holds the guest back",
  (target) =>
    withSession(
      target,
      { limits: { outputBytes: 64 << 20 } },
      async (session) => {
        const code = `${target.code.bigOutput(8 << 20)}\n${
          target.code.write("finished", "x")
        }`;
        let taken = 0;
        await session.run(code, {
          onStdout: async (_, bytes) => {
            // Every answer is a chance for the guest to go on, if nothing holds it.
            for (let asked = 0; taken === 0 && asked < 1_000; asked++) {
              assert.deepEqual(
                await session.listFiles(),
                [],
                "the guest went on",
              );
            }
            taken += bytes.length;
          },
        });
        assert.equal((await session.listFiles()).length, 1);
        assert.equal(taken, 8 << 20);
      },
    ),
);
