import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { type Fakes, layFakes } from "../../tests/guests/fake_tools.ts";
import { buildGuest } from "./build.ts";
import { listGuests, pruneGuests, verifyGuests } from "./catalog.ts";

const compiled = `${"a".repeat(32)}-${"b".repeat(16)}`;

/** A cache with one built guest and one compiled image. */
async function withCache(
  body: (fakes: Fakes, compiledDir: string, builtDir: string) => Promise<void>,
): Promise<void> {
  const fakes = layFakes();
  const before = process.env.MOTE_CACHE_DIR;
  process.env.MOTE_CACHE_DIR = fakes.cacheDir;
  try {
    const { crate, cacheDir, env } = fakes;
    const { guest } = await buildGuest(crate, { cacheDir, env });
    const dir = join(cacheDir, "guests", compiled);
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, "module.cwasm"), "code");
    const facts = { name: "python", version: "3.11.2" };
    writeFileSync(join(dir, "guest.json"), JSON.stringify(facts));
    const sha256 = createHash("sha256").update("code").digest("hex");
    writeFileSync(
      join(dir, "stamp.json"),
      JSON.stringify({ files: [{ name: "module.cwasm", sha256 }] }),
    );
    await body(fakes, dir, join(guest.path, ".."));
  } finally {
    if (before === undefined) delete process.env.MOTE_CACHE_DIR;
    else process.env.MOTE_CACHE_DIR = before;
    fakes.remove();
  }
}

test("images, compiled ones and built guests are listed", () =>
  withCache(async () => {
    const entries = await listGuests();
    const names = entries.map(({ kind, name }) => `${kind} ${name}`);
    for (const name of ["built hello", "compiled python", "image python"]) {
      assert.ok(names.includes(name), `${name} in ${names}`);
    }
    for (const { bytes, madeMs, text } of entries) {
      assert.ok(bytes > 0 && madeMs > 0 && text !== "");
    }
  }));

test("what was changed is found", () =>
  withCache(async (_, compiledDir, builtDir) => {
    const faults = async () =>
      (await verifyGuests()).filter(({ fault }) => fault !== undefined)
        .map(({ kind }) => kind).sort();
    assert.deepEqual(await faults(), []);
    writeFileSync(join(compiledDir, "module.cwasm"), "other");
    writeFileSync(join(builtDir, "guest.elf"), "other");
    assert.deepEqual(await faults(), ["built", "compiled"]);
  }));

test("what is old or damaged is pruned, and no image", () =>
  withCache(async (_, compiledDir, builtDir) => {
    const prune = async (unusedMs: number, dryRun = false) =>
      (await pruneGuests({ unusedMs, dryRun })).map(({ kind }) => kind).sort();
    const day = 86_400_000;
    assert.deepEqual(await prune(day), []);
    const lastWeek = new Date(Date.now() - 7 * day);
    utimesSync(compiledDir, lastWeek, lastWeek);
    assert.deepEqual(await prune(day, true), ["compiled"]);
    assert.ok(existsSync(compiledDir));
    assert.deepEqual(await prune(day), ["compiled"]);
    assert.ok(!existsSync(compiledDir));
    writeFileSync(join(builtDir, "guest.elf"), "other");
    assert.deepEqual(await prune(day), ["built"]);
    assert.ok((await listGuests()).every(({ kind }) => kind === "image"));
  }));

test("all but the images goes when all is asked for", () =>
  withCache(async ({ cacheDir }) => {
    mkdirSync(join(cacheDir, "elf/built/x.part"));
    mkdirSync(join(cacheDir, "elf/build/hello-0"));
    const removed = await pruneGuests({ unusedMs: 0, dryRun: false });
    assert.equal(removed.length, 4);
    assert.ok((await listGuests()).every(({ kind }) => kind === "image"));
  }));
