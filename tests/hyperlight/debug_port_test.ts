/** What a guest cannot reach though Hyperlight offers it; needs a hypervisor. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { elfOf } from "../guests/elfs.ts";

const fixture = new URL("fixtures/debug_port.ts", import.meta.url);
const guests = process.env.MOTE_TEST_GUESTS;

/** Runs the attack in a process of its own, whose standard error is all that counts. */
function attack(...guest: string[]): void {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ["run", "-A", "--no-check", fileURLToPath(fixture), ...guest],
    { encoding: "utf8" },
  );
  assert.equal(stdout, "ended with 0\n".repeat(2), stderr);
  assert.doesNotMatch(stderr, /DEBUG PORT/);
}

test("the debug port leads native code of Python nowhere", () => attack());

const skip = guests ? false : "MOTE_TEST_GUESTS names no guests";
test(
  "the debug port leads an own guest nowhere",
  { skip },
  () => attack(elfOf("hostile")),
);
