/** Cancelling. */
import assert from "node:assert/strict";
import { assertHealthy, each, ended, refused, withSession } from "./targets.ts";

each(
  "before the run: nothing of it happens",
  (target) =>
    withSession(target, {}, async (session) => {
      const signal = AbortSignal.abort();
      await refused(
        session.run(target.code.write("made", "x"), { signal }),
        "ABORTED",
      );
      assert.deepEqual(await session.listFiles(), []);
      await assertHealthy(target, session);
    }),
);

each(
  "during the run: what it printed is in the result",
  (target) =>
    withSession(target, {}, async (session) => {
      const control = new AbortController();
      const run = session.run(target.code.printThenLoop("before"), {
        signal: control.signal,
        onStdout: () => control.abort(),
      });
      assert.equal((await ended(run, "ABORTED")).stdout, "before\n");
      await assertHealthy(target, session);
    }),
);

each("while it sleeps", (target) =>
  withSession(target, {}, async (session) => {
    const started = performance.now();
    const run = session.run(target.code.sleepForever, {
      signal: AbortSignal.timeout(100),
    });
    await ended(run, "ABORTED");
    assert.ok(performance.now() - started < 3_000);
    await assertHealthy(target, session);
  }));

each(
  "the reason is the error's cause",
  (target) =>
    withSession(target, {}, async (session) => {
      const control = new AbortController();
      const reason = new Error("changed my mind");
      const run = session.run(target.code.printThenLoop("x"), {
        signal: control.signal,
        onStdout: () => control.abort(reason),
      });
      assert.equal((await refused(run, "ABORTED")).cause, reason);
    }),
);

each(
  "after the run: no effect",
  (target) =>
    withSession(target, {}, async (session) => {
      const control = new AbortController();
      const result = await session.run(target.code.print("x"), {
        signal: control.signal,
      });
      control.abort();
      assert.equal(result.exitCode, 0);
      await assertHealthy(target, session);
    }),
);

each(
  "a run that waits behind another",
  (target) =>
    withSession(target, {}, async (session) => {
      const first = new AbortController();
      const second = new AbortController();
      const running = session.run(target.code.loopForever, {
        signal: first.signal,
      });
      const waiting = session.run(target.code.write("made", "x"), {
        signal: second.signal,
      });
      second.abort();
      await refused(waiting, "ABORTED");
      first.abort();
      await refused(running, "ABORTED");
      assert.deepEqual(await session.listFiles(), []);
      await assertHealthy(target, session);
    }),
);

each(
  "opening a session",
  (target) =>
    refused(target.open({ signal: AbortSignal.abort() }), "ABORTED").then(
      () => {},
    ),
);

each(
  "one signal over many runs",
  (target) =>
    withSession(target, {}, async (session) => {
      const control = new AbortController();
      for (let run = 0; run < 20; run++) {
        await session.run(target.code.print("x"), { signal: control.signal });
      }
      control.abort();
      await refused(
        session.run(target.code.print("x"), { signal: control.signal }),
        "ABORTED",
      );
      await assertHealthy(target, session);
    }),
);
