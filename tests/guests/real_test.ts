/**
 * Builds guests with the real tools, as a user would, and leaves them for the tests in a machine in the folder
 * `test-guests` of the cache.
 */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { cacheDir } from "../../src/cache.ts";
import { buildOwnGuest } from "../../src/guests/own.ts";
import { loadHost } from "../../src/host.ts";
import { crateOf } from "./elfs.ts";

const cache = cacheDir(await loadHost());
const left = join(cache, "test-guests");
mkdirSync(left, { recursive: true });

test("the template is built for both targets", async () => {
  const made = await buildOwnGuest(undefined, { cacheDir: cache });
  assert.equal(made.guest.hyperlight, "0.18.0");
  assert.deepEqual([made.guest.abi, made.guest.heapKib], [1, 1_024]);
  copyFileSync(made.guest.path, join(left, "template.elf"));
  const plain = await buildOwnGuest(undefined, {
    cacheDir: cache,
    target: "x86_64-unknown-none",
  });
  assert.notEqual(plain.guest.key, made.guest.key);
  copyFileSync(plain.guest.path, join(left, "plain.elf"));
  const again = await buildOwnGuest(crateOf("template"), { cacheDir: cache });
  assert.deepEqual([again.fresh, again.guest.key], [false, made.guest.key]);
});

test("a crate of this repository is built where it is", async () => {
  const options = { cacheDir: cache };
  const { guest } = await buildOwnGuest(crateOf("hostile"), options);
  copyFileSync(guest.path, join(left, "hostile.elf"));
});

const crate = join(left, "crate");

test("a crate with dependencies of its own is built, mended and built again", async () => {
  rmSync(crate, { recursive: true, force: true });
  mkdirSync(join(crate, "src"), { recursive: true });
  const guest = JSON.stringify(join(crateOf("template"), "mote-guest"));
  writeFileSync(
    join(crate, "Cargo.toml"),
    `[package]
name = "counting"
version = "0.1.0"
edition = "2024"
[dependencies]
mote-guest = { path = ${guest} }
itoa = "1"
[profile.release]
panic = "abort"
[workspace]
`,
  );
  const program = (body: string) =>
    writeFileSync(
      join(crate, "src/main.rs"),
      `#![no_std]
#![no_main]
extern crate alloc;
mote_guest::entry!(run, 64);
fn run(code: &[u8]) -> i32 { ${body} }
`,
    );
  program(
    'mote_guest::println!("{}", itoa::Buffer::new().format(code.len())); 0',
  );
  const options = { cacheDir: cache, keepTemplate: true };
  const first = await buildOwnGuest(crate, options);
  assert.equal(first.guest.heapKib, 64);
  copyFileSync(first.guest.path, join(left, "counting.elf"));
  program("code");
  await assert.rejects(buildOwnGuest(crate, options), (error: Error) => {
    assert.equal((error as { code?: string }).code, "GUEST_BUILD_FAILED");
    assert.match(error.message, /error\[E0308\]: mismatched types/);
    return true;
  });
  program("code.len() as i32");
  const mended = await buildOwnGuest(crate, options);
  assert.notEqual(mended.guest.key, first.guest.key);
  rmSync(mended.folder!, { recursive: true });
});

after(() => rmSync(crate, { recursive: true, force: true }));
