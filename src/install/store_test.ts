import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Damaged, PackageStore } from "./store.ts";

const wheels = [{
  name: "a",
  version: "1",
  sha256: "0".repeat(64),
  pure: true,
}];

async function withStore(
  work: (store: PackageStore, dir: string) => Promise<void>,
) {
  const dir = mkdtempSync(join(tmpdir(), "mote-store-"));
  try {
    await work(new PackageStore(dir), dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

// deno-lint-ignore require-await
async function unpack(target: string): Promise<void> {
  mkdirSync(join(target, "a/__pycache__"), { recursive: true });
  mkdirSync(join(target, "bin"));
  writeFileSync(join(target, "a/__init__.py"), "x = 1\n");
  writeFileSync(join(target, "a/__pycache__/a.cpython-39.pyc"), "x");
  writeFileSync(join(target, "bin/a"), "x");
}

test("a set of wheels is unpacked once, without scripts and foreign byte code", () =>
  withStore(async (store) => {
    let unpacked = 0;
    const count = (target: string) => (unpacked++, unpack(target));
    await store.tree(wheels, count);
    const tree = await store.tree(wheels, count);
    assert.equal(unpacked, 1);
    assert.deepEqual(tree.files.map(({ path }) => path), ["a/__init__.py"]);
    const bytes = await tree.read(tree.files[0]!);
    assert.equal(new TextDecoder().decode(bytes), "x = 1\n");
  }));

test("a file that was changed in the cache is noticed and made anew", () =>
  withStore(async (store, dir) => {
    const tree = await store.tree(wheels, unpack);
    const [site] = readdirSync(join(dir, "python/site"));
    const file = join(dir, "python/site", site!, "files/a/__init__.py");
    writeFileSync(file, "import evil\n");
    await assert.rejects(tree.read(tree.files[0]!), Damaged);
    rmSync(file);
    await assert.rejects(tree.read(tree.files[0]!), Damaged);
    await tree.remove();
    const again = await store.tree(wheels, unpack);
    await again.read(again.files[0]!);
  }));

test("an unpacking that fails leaves nothing behind", () =>
  withStore(async (store, dir) => {
    const fault = new Error("no network");
    await assert.rejects(
      store.tree(wheels, () => Promise.reject(fault)),
      fault,
    );
    assert.deepEqual(readdirSync(join(dir, "python/site")), []);
  }));

test("two at once are both served", () =>
  withStore(async (store) => {
    const trees = await Promise.all(
      [1, 2, 3].map(() => store.tree(wheels, unpack)),
    );
    for (const tree of trees) await tree.read(tree.files[0]!);
  }));

test("what requirements were resolved to is kept for 24 hours", () =>
  withStore(async (store, dir) => {
    assert.equal(await store.lockOf(["a", "b"]), undefined);
    await store.keepLock(["b", "a"], wheels);
    assert.deepEqual(await store.lockOf(["a", "b"]), wheels);
    const [lock] = readdirSync(join(dir, "python/locks"));
    const file = join(dir, "python/locks", lock!);
    const old = Date.now() - 24 * 3_600_000 - 1;
    writeFileSync(file, JSON.stringify({ resolvedMs: old, wheels }));
    assert.equal(await store.lockOf(["a", "b"]), undefined);
    writeFileSync(file, "broken");
    assert.equal(await store.lockOf(["a", "b"]), undefined);
  }));
