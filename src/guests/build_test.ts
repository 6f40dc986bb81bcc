import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import {
  type Fakes,
  isAlive,
  layFakes,
} from "../../tests/guests/fake_tools.ts";
import { buildGuest, type BuildOptions, type Built } from "./build.ts";
import { BuiltGuests } from "./built.ts";

async function withFakes(body: (fakes: Fakes) => Promise<void>): Promise<void> {
  const fakes = layFakes();
  try {
    await body(fakes);
  } finally {
    fakes.remove();
  }
}

const build = (
  { crate, cacheDir, env }: Fakes,
  options: Partial<BuildOptions> = {},
): Promise<Built> => buildGuest(crate, { cacheDir, env, ...options });

const entries = ({ cacheDir }: Fakes) => new BuiltGuests(cacheDir).list();

const folders = ({ cacheDir }: Fakes) =>
  readdirSync(join(cacheDir, "elf/build")).filter((name) =>
    !name.endsWith(".lock")
  );

/** Waits until something is so; a test that waits for nothing ends with its own time limit. */
async function until<T>(look: () => T | undefined): Promise<T> {
  for (;;) {
    const seen = look();
    if (seen !== undefined) return seen;
    await new Promise((resolve) => setTimeout(resolve));
  }
}

/** The number of the process that a slow build has started. */
const sleeper = (fakes: Fakes) =>
  until(() => {
    const file = join(fakes.dir, "sleeper");
    return existsSync(file) && Number(readFileSync(file, "utf8")) || undefined;
  });

test("a crate is built once, and again when it changes", () =>
  withFakes(async (fakes) => {
    const seen: string[] = [];
    const first = await build(fakes, {
      onProgress: ({ text }) => void seen.push(text),
    });
    assert.equal(first.fresh, true);
    assert.match(first.guest.sha256, /^[0-9a-f]{64}$/);
    assert.equal(first.guest.hyperlight, "0.18.0");
    assert.ok(seen.some((text) => text.includes("hello v0.1.0")), `${seen}`);
    assert.deepEqual(folders(fakes), []);
    const second = await build(fakes);
    assert.deepEqual([second.fresh, second.guest.path], [
      false,
      first.guest.path,
    ]);
    assert.equal(fakes.builds(), 1);
    fakes.program("fn main() { }");
    assert.equal((await build(fakes)).fresh, true);
    writeFileSync(join(fakes.crate, "Cargo.lock"), "other");
    assert.equal((await build(fakes)).fresh, true);
    fakes.tool("clang", 'echo "fake clang version 20.1.0"');
    assert.equal((await build(fakes)).fresh, true);
    assert.equal(fakes.builds(), 4);
  }));

test("tools have their plain names on the PATH of a build", () =>
  withFakes(async (fakes) => {
    fakes.tool("llvm-ar-19", "exit 0");
    const { folder } = await build(fakes, { keepTemplate: true });
    assert.deepEqual(readdirSync(join(folder!, "bin")).sort(), [
      "clang",
      "llvm-ar",
      "rust-lld",
    ]);
    const path = readFileSync(join(fakes.dir, "path"), "utf8");
    assert.ok(path.startsWith(join(folder!, "bin")), path);
  }));

test("builds of one guest at the same time share one", () =>
  withFakes(async (fakes) => {
    fakes.program("pause");
    const built = await Promise.all([1, 2, 3].map(() => build(fakes)));
    assert.equal(new Set(built.map(({ guest }) => guest.path)).size, 1);
    assert.equal(fakes.builds(), 1);
  }));

test("builds of one guest in two processes share one", () =>
  withFakes(async (fakes) => {
    fakes.program("pause");
    const script = join(fakes.dir, "build.ts");
    const from = JSON.stringify(new URL("./build.ts", import.meta.url).href);
    const { crate, cacheDir, env } = fakes;
    writeFileSync(
      script,
      `import { buildGuest } from ${from};
const { guest } = await buildGuest(${JSON.stringify(crate)}, ${
        JSON.stringify({ cacheDir, env })
      });
console.log(guest.path);`,
    );
    const args = "Deno" in globalThis
      ? ["run", "-A", "--no-check", script]
      : [script];
    const paths = await Promise.all(
      [1, 2].map(() =>
        new Promise<string>((resolve) => {
          const child = spawn(process.execPath, args);
          let text = "";
          child.stdout.on("data", (data) => text += data);
          child.on("close", () => resolve(text));
        })
      ),
    );
    assert.match(paths[0]!, /guest\.elf/);
    assert.equal(paths[0], paths[1]);
    assert.equal(fakes.builds(), 1);
  }));

test("a failed build shows the compiler's error and keeps nothing", () =>
  withFakes(async (fakes) => {
    fakes.program("fail");
    await assert.rejects(build(fakes), (error: Error) => {
      assert.equal((error as { code?: string }).code, "GUEST_BUILD_FAILED");
      assert.match(
        error.message,
        /^Cannot build guest hello: error\[E0425\].+\.$/s,
      );
      return true;
    });
    assert.deepEqual(await entries(fakes), []);
    assert.deepEqual(folders(fakes), []);
    fakes.program("good");
    assert.equal((await build(fakes)).fresh, true);
  }));

test("a build that takes too long is ended with all it started", () =>
  withFakes(async (fakes) => {
    fakes.program("slow");
    const late = build(fakes, { timeoutMs: 1_000 });
    const pid = await sleeper(fakes);
    assert.ok(isAlive(pid));
    await assert.rejects(late, (error: Error) => {
      assert.equal((error as { code?: string }).code, "GUEST_BUILD_FAILED");
      return /more than 1 s\. Raise buildTimeoutMs/.test(error.message);
    });
    await until(() => isAlive(pid) ? undefined : true);
    assert.deepEqual(await entries(fakes), []);
  }));

test("a build goes on for the others when one of them leaves", () =>
  withFakes(async (fakes) => {
    fakes.program("pause");
    const stop = new AbortController();
    const left = build(fakes, { signal: stop.signal });
    const stays = build(fakes, { onProgress: () => stop.abort() });
    await assert.rejects(left, { code: "ABORTED" });
    assert.equal((await stays).guest.name, "hello");
    assert.equal(fakes.builds(), 1);
  }));

test("a build ends when nobody waits for it", () =>
  withFakes(async (fakes) => {
    fakes.program("slow");
    const stop = new AbortController();
    const left = build(fakes, { signal: stop.signal });
    const pid = await sleeper(fakes);
    stop.abort();
    await assert.rejects(left, { code: "ABORTED" });
    await until(() => isAlive(pid) ? undefined : true);
    assert.deepEqual(folders(fakes), []);
  }));

test("keepTemplate keeps the build folder", () =>
  withFakes(async (fakes) => {
    await build(fakes);
    const kept = await build(fakes, { keepTemplate: true });
    assert.deepEqual([kept.fresh, existsSync(kept.folder!)], [true, true]);
    const again = await build(fakes, { keepTemplate: true });
    assert.deepEqual([again.fresh, again.folder], [false, kept.folder]);
    assert.ok(existsSync(join(kept.folder!, "target")));
  }));

test("the template is built in a copy", () =>
  withFakes(async (fakes) => {
    const { crate, cacheDir, env } = fakes;
    const options = { cacheDir, env, keepTemplate: true };
    const { folder } = await buildGuest(crate, options, crate);
    assert.ok(existsSync(join(folder!, "source/src/main.rs")));
  }));

test("a guest of another Hyperlight is GUEST_INVALID and not kept", () =>
  withFakes(async (fakes) => {
    fakes.program("old");
    await assert.rejects(build(fakes), (error: Error) => {
      assert.equal((error as { code?: string }).code, "GUEST_INVALID");
      return /0\.17\.0.+0\.18\.0/.test(error.message);
    });
    assert.deepEqual(await entries(fakes), []);
  }));

test("a damaged guest in the cache is built again", () =>
  withFakes(async (fakes) => {
    const { guest } = await build(fakes);
    writeFileSync(guest.path, "rust");
    assert.equal((await build(fakes)).fresh, true);
    const [entry] = await entries(fakes);
    assert.equal(entry?.guest?.sha256, guest.sha256);
  }));

test("a listener that throws ends its own wait", () =>
  withFakes(async (fakes) => {
    const failing = build(fakes, {
      onProgress: () => {
        throw new Error("no more");
      },
    });
    await assert.rejects(failing, /no more/);
  }));
