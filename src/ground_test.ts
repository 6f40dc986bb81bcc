import assert from "node:assert/strict";
import { test } from "node:test";
import type { OpenSpec, Wall } from "./backends/backend.ts";
import { memoryBackend } from "./backends/memory.ts";
import { SandboxError } from "./errors.ts";
import { type Ground, Grounds } from "./ground.ts";
import { type Language, parseSessionOptions } from "./options.ts";

const { limits } = parseSessionOptions({});
const encoder = new TextEncoder();
/** The walls behind those that note when they are closed. */
const walls = new WeakMap<Wall, Wall>();

async function ground(
  reason: string,
  filesOf?: Wall,
  closes: string[] = [],
): Promise<Ground> {
  const spec: OpenSpec = {
    lang: "script" as Language,
    image: null,
    cacheDir: "/nowhere",
    interactive: false,
    env: {},
    tools: [],
    limits,
    filesOf: filesOf && walls.get(filesOf),
  };
  const inner = await memoryBackend.open(spec);
  const { capabilities } = memoryBackend;
  const wall: Wall = {
    run: (request) => inner.run(request),
    files: (root) => inner.files(root),
    close: async () => {
      closes.push(reason);
      await inner.close();
    },
  };
  walls.set(wall, inner);
  return {
    reason,
    capabilities,
    wall,
    spec,
    receipt: { backend: "memory", lang: spec.lang, limits },
  };
}

/** A promise and what settles it. */
function later<T = void>() {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((done, fail) => {
    resolve = done;
    reject = fail;
  });
  return { promise, resolve, reject };
}

const where = (grounds: Grounds, signal?: AbortSignal) =>
  grounds.run(signal, ({ reason }) => Promise.resolve(reason));

async function code(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof SandboxError) return error.code;
    throw error;
  }
  return "none";
}

test("runs wait for the ground that comes, and those before end where they began", async () => {
  const closes: string[] = [];
  const grounds = new Grounds(await ground("old", undefined, closes));
  const running = later();
  const first = grounds.run(undefined, async ({ reason }) => {
    await running.promise;
    return reason;
  });
  const opening = later<Ground>();
  const exchanged = grounds.exchange(() => opening.promise, () => {});
  const second = where(grounds);
  opening.resolve(await ground("new", undefined, closes));
  // The run that is going may itself have asked for this.
  await exchanged;
  assert.equal(grounds.now.reason, "new");
  assert.deepEqual(closes, []);
  running.resolve();
  assert.deepEqual(await Promise.all([first, second]), ["old", "new"]);
  assert.deepEqual(closes, ["old"]);
  await grounds.close();
  assert.deepEqual(closes, ["old", "new"]);
});

test("files stay in reach over an exchange", async () => {
  const old = await ground("old");
  const grounds = new Grounds(old);
  const files = grounds.files("sandbox");
  await files.write("a", encoder.encode("hi"), { offset: null });
  await grounds.exchange((from) => ground("new", from), () => {});
  await where(grounds);
  assert.equal((await files.stat("a"))?.size, 2);
  await files.write("b", encoder.encode("hi"), { offset: null });
  assert.equal((await files.stat("b"))?.size, 2);
  await grounds.close();
});

test("a ground that cannot be opened leaves all as it was", async () => {
  const grounds = new Grounds(await ground("old"));
  let gone = false;
  const exchange = grounds.exchange(
    () => Promise.reject(new SandboxError("GUEST_INVALID", "Cannot x: y. Z.")),
    () => gone = true,
  );
  const waiting = where(grounds);
  assert.equal(await code(exchange), "GUEST_INVALID");
  assert.equal(await waiting, "old");
  assert.equal(gone, false);
  await grounds.close();
});

test("aborting an exchange leaves nothing open", async () => {
  const closes: string[] = [];
  const grounds = new Grounds(await ground("old", undefined, closes));
  const stop = new AbortController();
  const opening = later<Ground>();
  const exchange = grounds.exchange(
    () => opening.promise,
    () => {},
    stop.signal,
  );
  stop.abort();
  opening.resolve(await ground("new", undefined, closes));
  assert.equal(await code(exchange), "ABORTED");
  assert.deepEqual(closes, ["new"]);
  assert.equal(await where(grounds), "old");
  await grounds.close();
});

test("a run that waits can be aborted", async () => {
  const grounds = new Grounds(await ground("old"));
  const opening = later<Ground>();
  const exchange = grounds.exchange(() => opening.promise, () => {});
  const stop = new AbortController();
  const waiting = where(grounds, stop.signal);
  stop.abort();
  assert.equal(await code(waiting), "ABORTED");
  opening.resolve(await ground("new"));
  await exchange;
  assert.equal(await where(grounds), "new");
  await grounds.close();
});

test("closing during an exchange ends it, and every wall", async () => {
  const closes: string[] = [];
  const grounds = new Grounds(await ground("old", undefined, closes));
  const exchange = grounds.exchange(
    (_, signal) =>
      new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason))
      ),
    () => {},
  );
  const waiting = where(grounds);
  const closed = grounds.close();
  assert.equal(await code(exchange), "SESSION_CLOSED");
  assert.equal(await code(waiting), "SESSION_CLOSED");
  await closed;
  assert.deepEqual(closes, ["old"]);
  assert.equal(
    await code(grounds.exchange(() => ground("new"), () => {})),
    "SESSION_CLOSED",
  );
});
