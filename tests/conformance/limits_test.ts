/** Every limit ends a run with its own code, keeps what came out, and leaves the session usable. */
import assert from "node:assert/strict";
import {
  assertHealthy,
  countsFiles,
  each,
  ended,
  isContainer,
  refused,
  withSession,
} from "./targets.ts";

each(
  "wall time, over an endless loop",
  (target) =>
    withSession(target, {}, async (session) => {
      const started = performance.now();
      const run = session.run(target.code.printThenLoop("before"), {
        timeoutMs: 300,
      });
      const result = await ended(run, "TIMED_OUT");
      assert.equal(result.stdout, "before\n");
      assert.equal(result.limitHit, "time");
      const tookMs = performance.now() - started;
      assert.ok(tookMs >= 295 && tookMs < 3_000, `${tookMs} ms`);
      await assertHealthy(target, session);
    }),
);

each(
  "wall time, over sleep",
  (target) =>
    withSession(target, { timeoutMs: 300 }, async (session) => {
      const started = performance.now();
      await ended(session.run(target.code.sleepForever), "TIMED_OUT");
      assert.ok(performance.now() - started < 3_000);
      await assertHealthy(target, session);
    }),
);

each(
  "the shortest time limit",
  (target) =>
    withSession(target, {}, async (session) => {
      await ended(
        session.run(target.code.loopForever, { timeoutMs: 1 }),
        "TIMED_OUT",
      );
      await assertHealthy(target, session);
    }),
);

each(
  "limits.timeMs and timeoutMs are one limit",
  (target) =>
    withSession(
      target,
      { limits: { timeMs: 250 }, timeoutMs: 250 },
      async (session) => {
        const error = await refused(
          session.run(target.code.loopForever),
          "TIMED_OUT",
        );
        assert.match(error.message, /250 ms/);
      },
    ),
);

each(
  "processor time",
  (target) =>
    withSession(
      target,
      { limits: { cpuMs: 200, timeMs: 20_000 } },
      async (session) => {
        const result = await ended(
          session.run(target.code.loopForever),
          "TIMED_OUT",
        );
        assert.equal(result.limitHit, "cpu");
        await assertHealthy(target, session);
      },
    ),
  ({ capabilities }) =>
    capabilities.cpuLimit ? undefined : "counts no processor time",
);

each(
  "memory",
  (target) =>
    withSession(target, { limits: { memoryMb: 64 } }, async (session) => {
      const error = await refused(
        session.run(target.code.memoryBomb),
        "MEMORY_EXCEEDED",
      );
      assert.match(error.message, /64 MiB/);
      assert.equal(error.result?.limitHit, "memory");
      await assertHealthy(target, session);
    }),
);

each(
  "memory, when the code copes with it",
  (target) =>
    withSession(target, { limits: { memoryMb: 64 } }, async (session) => {
      const result = await session.run(target.code.memoryCaught);
      assert.equal(result.stdout, "caught\n", result.stderr);
      assert.equal(result.limitHit, "memory");
      await assertHealthy(target, session);
    }),
  (target) =>
    isContainer(target) && target.lang === "javascript"
      ? "V8 ends where it is refused memory for its own heap"
      : undefined,
);

each(
  "output",
  (target) =>
    withSession(
      target,
      { limits: { outputBytes: 10_000 } },
      async (session) => {
        const result = await ended(
          session.run(target.code.outputFlood),
          "OUTPUT_EXCEEDED",
        );
        assert.equal(result.stdoutBytes.length, 10_000);
        assert.equal(result.limitHit, "output");
        await assertHealthy(target, session);
      },
    ),
);

each(
  "output just at its limit",
  (target) =>
    withSession(target, { limits: { outputBytes: 5_000 } }, async (session) => {
      const result = await session.run(target.code.bigOutput(5_000));
      assert.equal(result.stdout.length, 5_000);
      assert.equal(result.limitHit, undefined);
      await ended(session.run(target.code.bigOutput(5_001)), "OUTPUT_EXCEEDED");
    }),
);

each("output, cut instead", (target) =>
  withSession(
    target,
    { limits: { outputBytes: 1_000, onOutputLimit: "truncate" } },
    async (session) => {
      const result = await session.run(target.code.bigOutput(50_000));
      assert.equal(result.exitCode, 0);
      assert.equal(result.stdout, "x".repeat(1_000));
      assert.equal(result.limitHit, "output");
      await assertHealthy(target, session);
    },
  ));

each(
  "output while it is streamed",
  (target) =>
    withSession(
      target,
      { limits: { outputBytes: 10_000 } },
      async (session) => {
        let seen = 0;
        const run = session.run(target.code.outputFlood, {
          onStdout: (_, bytes) => void (seen += bytes.length),
        });
        await ended(run, "OUTPUT_EXCEEDED");
        assert.equal(seen, 10_000);
        await assertHealthy(target, session);
      },
    ),
);

each(
  "bytes of the workspace",
  (target) =>
    withSession(target, { limits: { workspaceMb: 2 } }, async (session) => {
      const error = await refused(
        session.run(target.code.diskFill),
        "DISK_EXCEEDED",
      );
      assert.match(error.message, /2 MiB/);
      assert.equal(error.result?.limitHit, "workspace");
      const [file] = await session.listFiles();
      assert.equal(file?.path, "big");
      assert.ok(file.size <= 2 << 20, `${file.size}`);
      await session.run(target.code.remove("big"));
      await assertHealthy(target, session);
      assert.equal(
        (await session.run(target.code.write("small", "x"))).exitCode,
        0,
      );
    }),
);

each(
  "bytes of the workspace, when the code copes with it",
  (target) =>
    withSession(target, { limits: { workspaceMb: 2 } }, async (session) => {
      const result = await session.run(target.code.diskFillCaught);
      assert.equal(result.stdout, "caught\n", result.stderr);
      assert.equal(result.limitHit, "workspace");
    }),
);

each(
  "number of files",
  (target) =>
    withSession(target, { limits: { workspaceFiles: 50 } }, async (session) => {
      await ended(session.run(target.code.manyFiles(200)), "DISK_EXCEEDED");
      assert.ok((await session.listFiles()).length <= 50);
      await assertHealthy(target, session);
    }),
  countsFiles,
);

each(
  "number of files, one below its limit",
  (target) =>
    withSession(target, { limits: { workspaceFiles: 51 } }, async (session) => {
      const result = await session.run(target.code.manyFiles(50));
      assert.equal(result.exitCode, 0, result.stderr);
    }),
  countsFiles,
);

each(
  "deep recursion is the guest's own error",
  (target) =>
    withSession(target, {}, async (session) => {
      const result = await session.run(target.code.deepRecursion);
      assert.equal(result.exitCode, 1);
      assert.match(result.stderr, /recursion|RangeError|stack/i);
      await assertHealthy(target, session);
    }),
);

each("one limit after the other in one session", (target) =>
  withSession(
    target,
    {
      limits: {
        memoryMb: 64,
        outputBytes: 10_000,
        workspaceMb: 1,
        timeMs: 10_000,
      },
    },
    async (session) => {
      for (let round = 0; round < 3; round++) {
        await ended(
          session.run(target.code.loopForever, { timeoutMs: 50 }),
          "TIMED_OUT",
        );
        await ended(session.run(target.code.memoryBomb), "MEMORY_EXCEEDED");
        await ended(session.run(target.code.outputFlood), "OUTPUT_EXCEEDED");
        await ended(session.run(target.code.diskFill), "DISK_EXCEEDED");
        await session.run(target.code.remove("big"));
        await assertHealthy(target, session);
      }
    },
  ));
