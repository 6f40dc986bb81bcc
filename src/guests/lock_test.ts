import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { withLock } from "./lock.ts";

async function inFolder(body: (dir: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "mote-lock-"));
  try {
    await body(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

const action = "test";

test("one at a time, and nothing is left", () =>
  inFolder(async (dir) => {
    let [inside, most, waits] = [0, 0, 0];
    const one = () =>
      withLock(
        join(dir, "lock"),
        { action, onWait: () => waits++ },
        async () => {
          most = Math.max(most, ++inside);
          await new Promise((resolve) => setTimeout(resolve));
          inside--;
        },
      );
    await Promise.all(Array.from({ length: 5 }, one));
    assert.equal(most, 1);
    assert.ok(waits >= 1);
    assert.deepEqual(readdirSync(dir), []);
  }));

test("the lock of a process that is gone is taken over", () =>
  inFolder(async (dir) => {
    // Larger than any process number that the system gives.
    const dead = JSON.stringify({ pid: 2 ** 30, token: "x" });
    writeFileSync(join(dir, "lock"), dead);
    assert.equal(
      await withLock(join(dir, "lock"), { action }, () => Promise.resolve(7)),
      7,
    );
    assert.deepEqual(readdirSync(dir), []);
  }));

test("a lock is given back when the work fails", () =>
  inFolder(async (dir) => {
    const file = join(dir, "lock");
    const fails = withLock(file, { action }, () =>
      Promise.reject(new Error("x")));
    await assert.rejects(fails, /x/);
    assert.equal(
      await withLock(file, { action }, () =>
        Promise.resolve(1)),
      1,
    );
  }));

test("waiting can be aborted", () =>
  inFolder(async (dir) => {
    const file = join(dir, "lock");
    const stop = new AbortController();
    await withLock(file, { action }, async () => {
      const second = withLock(
        file,
        { action, signal: stop.signal, onWait: () => stop.abort() },
        async () => {},
      );
      await assert.rejects(second, { code: "ABORTED" });
    });
  }));
