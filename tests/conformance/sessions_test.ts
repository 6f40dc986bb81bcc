/** Sessions beside each other, their queue, their state and their end. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  assertHealthy,
  each,
  interactive,
  refused,
  withSession,
} from "./targets.ts";

each(
  "runs of one session queue in order",
  (target) =>
    withSession(target, {}, async (session) => {
      const numbers = [...Array(20).keys()];
      await Promise.all(
        numbers.map((n) => session.run(target.code.append("order", `${n} `))),
      );
      const { stdout } = await session.run(target.code.read("order"));
      assert.equal(stdout, numbers.map((n) => `${n} `).join(""));
    }),
);

each(
  "a run that fails does not hold up those behind it",
  (target) =>
    withSession(target, {}, async (session) => {
      const slow = session.run(target.code.loopForever, { timeoutMs: 100 });
      const next = session.run(target.code.print("next"));
      await refused(slow, "TIMED_OUT");
      const { stdout, timings } = await next;
      assert.equal(stdout, "next\n");
      assert.ok(timings.queuedMs >= 50, `${timings.queuedMs} ms in the queue`);
    }),
);

each("twenty sessions at once, each with files of its own", async (target) => {
  const sessions = await Promise.all(
    Array.from({ length: 20 }, () => target.open()),
  );
  try {
    await Promise.all(sessions.map(async (session, n) => {
      await session.run(target.code.write("mine", `session ${n}`));
      const { stdout } = await session.run(target.code.read("mine"));
      assert.equal(stdout, `session ${n}`);
    }));
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
});

each(
  "one session in an endless loop does not hold up another",
  (target) =>
    withSession(target, {}, (busy) =>
      withSession(target, {}, async (other) => {
        const control = new AbortController();
        const loop = busy.run(target.code.loopForever, {
          signal: control.signal,
        });
        await assertHealthy(target, other);
        control.abort();
        await refused(loop, "ABORTED");
      })),
);

each(
  "interactive: state lasts from run to run",
  (target) =>
    withSession(target, { interactive: true }, async (session) => {
      await session.run(target.code.setState("kept", 41));
      await session.run(target.code.raise("", "an error loses nothing"));
      assert.equal(
        (await session.run(target.code.getState("kept"))).stdout,
        "41\n",
      );
      await session.run(target.code.setState("kept", 42));
      assert.equal(
        (await session.run(target.code.getState("kept"))).stdout,
        "42\n",
      );
    }),
  interactive,
);

each(
  "interactive: state is the session's own",
  (target) =>
    withSession(
      target,
      { interactive: true },
      (one) =>
        withSession(target, { interactive: true }, async (other) => {
          await one.run(target.code.setState("kept", 1));
          assert.equal(
            (await other.run(target.code.getState("kept"))).exitCode,
            1,
          );
        }),
    ),
  interactive,
);

each(
  "interactive: a limit costs the state, the session goes on, and the error says so",
  (target) =>
    withSession(target, { interactive: true }, async (session) => {
      await session.run(target.code.setState("kept", 1));
      await session.run(target.code.write("file", "stays"));
      const run = session.run(target.code.loopForever, { timeoutMs: 100 });
      assert.match((await refused(run, "TIMED_OUT")).message, /state/);
      assert.equal(
        (await session.run(target.code.getState("kept"))).exitCode,
        1,
      );
      assert.equal(
        (await session.run(target.code.read("file"))).stdout,
        "stays",
      );
    }),
  interactive,
);

each("close may be called again, also at the same time", async (target) => {
  const session = await target.open();
  await session.run(target.code.print("x"));
  await Promise.all([session.close(), session.close()]);
  await session.close();
  await session[Symbol.asyncDispose]();
});

each("close ends what runs and what waits", async (target) => {
  const session = await target.open();
  const running = session.run(target.code.loopForever);
  const waiting = session.run(target.code.print("never"));
  const outcomes = Promise.all([
    refused(running, "SESSION_CLOSED"),
    refused(waiting, "SESSION_CLOSED"),
  ]);
  await session.close();
  await outcomes;
});

each("a closed session refuses everything", async (target) => {
  const session = await target.open();
  await session.close();
  const dir = await mkdtemp(join(tmpdir(), "mote-closed-"));
  try {
    const code = "SESSION_CLOSED";
    await refused(session.run(target.code.print("x")), code);
    await refused(session.install(["humanize"]), code);
    await refused(session.copyToRuntime(dir, "dir"), code);
    await refused(session.copyFromRuntime("x", join(dir, "x")), code);
    await refused(session.listFiles(), code);
    const stream = session.stream(target.code.print("x"));
    stream.result.catch(() => {});
    const read = async () => {
      for await (const _ of stream);
    };
    await refused(read(), code);
  } finally {
    await rm(dir, { recursive: true });
  }
});

each(
  "says which backend it has, and why",
  (target) =>
    withSession(target, {}, (session) => {
      assert.equal(session.backend.name, target.backend);
      assert.ok(session.backend.reason.length > 10, session.backend.reason);
      return Promise.resolve();
    }),
);
