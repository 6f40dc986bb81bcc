/** A process that uses the library ends when its own work has ended, and not before. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runFixture } from "./programs.ts";

for (
  const [name, what] of [
    ["closes", "a process ends by itself after close"],
    [
      "never_closes",
      "idle sessions that nobody closed do not keep a process alive",
    ],
    [
      "pool_never_closed",
      "a pool that nobody closed does not keep a process alive",
    ],
    ["many_sessions", "fifty sessions at once, closed at once"],
    ["waits_for_run", "a run under way keeps the process alive"],
    ["isolates", "two worker threads at once, and again after they ended"],
  ] as const
) {
  test(what, async () => {
    const { code, stdout, stderr } = await runFixture(name);
    assert.match(stdout, /^(ran\n)+$/, stderr);
    assert.equal(code, 0, stderr);
  });
}

test("an error of the program ends a process with an open session", async () => {
  const { code, stdout, stderr } = await runFixture("throws");
  assert.equal(stdout, "ran\n");
  assert.equal(code, 1);
  assert.match(stderr, /the program's own/);
});

test("a process can exit from within a callback", async () => {
  const { code, stdout, stderr } = await runFixture("exits_in_callback");
  assert.equal(stdout, "ran\n", stderr);
  assert.equal(code, 5, stderr);
});
