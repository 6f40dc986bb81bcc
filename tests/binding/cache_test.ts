/** The cache of compiled guests: made once, checked, healed. */
import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { runFixture, withFolder } from "../process/programs.ts";

const opened = "opened\n";

/** The one compiled guest below a cache folder. */
function guestIn(cache: string): string {
  const guests = readdirSync(join(cache, "guests"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory());
  assert.equal(guests.length, 1, guests.map(({ name }) => name).join());
  return join(cache, "guests", guests[0]!.name);
}

async function assertOpens(cache: string): Promise<void> {
  const { stdout, stderr, code } = await runFixture("reports_code", {
    MOTE_CACHE_DIR: cache,
  });
  assert.equal(stdout, opened, stderr);
  assert.equal(code, 0);
}

function flipByte(file: string): void {
  const bytes = readFileSync(file);
  bytes[bytes.length >> 1]! ^= 0x55;
  writeFileSync(file, bytes);
}

/** Ways in which a compiled guest can be damaged. */
const damages: readonly [string, (guest: string) => void][] = [
  [
    "a byte of the code flipped",
    (guest) => flipByte(join(guest, "module.cwasm")),
  ],
  ["the code cut", (guest) => truncateSync(join(guest, "module.cwasm"), 1_000)],
  ["the code empty", (guest) => truncateSync(join(guest, "module.cwasm"), 0)],
  ["the code gone", (guest) => rmSync(join(guest, "module.cwasm"))],
  ["a byte of the files flipped", (guest) => flipByte(join(guest, "root.img"))],
  ["the files cut", (guest) => truncateSync(join(guest, "root.img"), 100)],
  ["the stamp gone", (guest) => rmSync(join(guest, "stamp.json"))],
  [
    "the stamp garbage",
    (guest) => writeFileSync(join(guest, "stamp.json"), "{{{"),
  ],
  [
    "the description garbage",
    (guest) => writeFileSync(join(guest, "guest.json"), "\0\0"),
  ],
  ["all of it gone", (guest) => rmSync(guest, { recursive: true })],
];

test("a damaged guest is noticed and made again", async () => {
  await withFolder(async (cache) => {
    await assertOpens(cache);
    const guest = guestIn(cache);
    const code = readFileSync(join(guest, "module.cwasm"));
    for (const [what, damage] of damages) {
      damage(guest);
      await assertOpens(cache).catch((error) => {
        throw new Error(`${what}: ${error.message}`);
      });
      assert.equal(guestIn(cache), guest, what);
      assert.ok(
        code.equals(readFileSync(join(guest, "module.cwasm"))),
        `${what}: not healed`,
      );
    }
  });
});

test("four processes at once on an empty cache", async () => {
  await withFolder(async (cache) => {
    await Promise.all(Array.from({ length: 4 }, () => assertOpens(cache)));
    guestIn(cache);
  });
});

test("what an interrupted build left behind is no hindrance", async () => {
  await withFolder(async (cache) => {
    await assertOpens(cache);
    const guest = guestIn(cache);
    for (const name of readdirSync(guest)) {
      if (name !== "module.cwasm") {
        rmSync(join(guest, name), { recursive: true });
      }
    }
    mkdirSync(join(cache, "guests", ".tmp-left-behind"), { mode: 0o700 });
    await assertOpens(cache);
  });
});

/** Refused with a reason that names the folder; never a crash and never INTERNAL. */
async function assertRefused(cache: string): Promise<void> {
  const { stdout, stderr } = await runFixture("reports_code", {
    MOTE_CACHE_DIR: cache,
  });
  const [code, message] = stdout.split("\n");
  assert.ok(
    code === "BACKEND_UNAVAILABLE" || code === "GUEST_BUILD_FAILED",
    stdout + stderr,
  );
  assert.match(message!, /^Cannot [^:]+: .+\. .+\.$/);
  assert.ok(message!.includes(cache), String(message));
}

test("a cache folder that can't be written", async () => {
  await withFolder(async (dir) => {
    writeFileSync(join(dir, "file"), "");
    await assertRefused(join(dir, "file"));
    await assertRefused(join(dir, "file/below"));
    // Root may write everywhere but here.
    if (process.getuid!() === 0) return await assertRefused("/proc/mote");
    mkdirSync(join(dir, "locked"));
    chmodSync(join(dir, "locked"), 0o500);
    await assertRefused(join(dir, "locked"));
  });
});

test("a cache folder that others may write is refused or closed to them", async () => {
  await withFolder(async (dir) => {
    const cache = join(dir, "cache");
    mkdirSync(cache);
    chmodSync(cache, 0o777);
    const { stdout } = await runFixture("reports_code", {
      MOTE_CACHE_DIR: cache,
    });
    if (stdout === opened) {
      const { statSync } = await import("node:fs");
      assert.equal(statSync(join(cache, "guests")).mode & 0o077, 0);
    } else await assertRefused(cache);
  });
});
