/** What a guest cannot reach though Hyperlight offers it; needs a hypervisor. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

test("a guest's debug port leads nowhere", () => {
  const fixture = new URL("fixtures/debug_port.ts", import.meta.url);
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ["run", "-A", "--no-check", fileURLToPath(fixture)],
    { encoding: "utf8" },
  );
  assert.equal(stdout.trim(), "written", stderr);
  assert.doesNotMatch(stderr, /DEBUG PORT/);
});
