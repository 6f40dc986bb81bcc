import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { tmpdir } from "node:os";
import process from "node:process";
import { test } from "node:test";
import { loadLibrary, packageVersion } from "./load.ts";

test("the platform packages that are looked for are of this version", () => {
  const config = new URL("../deno.json", import.meta.url);
  const { version } = JSON.parse(readFileSync(config, "utf8"));
  assert.equal(packageVersion, version);
});

test("a library that is not there is named, with the cure, and can be tried again", async () => {
  const before = process.env.MOTE_LIBRARY;
  const path = join(tmpdir(), "mote-none", "libmote.so");
  process.env.MOTE_LIBRARY = path;
  try {
    for (let attempt = 0; attempt < 2; attempt++) {
      await assert.rejects(loadLibrary(), (error: Error & { code: string }) => {
        assert.equal(error.code, "BACKEND_UNAVAILABLE");
        assert.ok(error.message.includes(path), error.message);
        return true;
      });
    }
    process.env.MOTE_LIBRARY = join(import.meta.dirname!, "load_test.ts");
    await assert.rejects(loadLibrary(), { code: "BACKEND_UNAVAILABLE" });
  } finally {
    if (before === undefined) delete process.env.MOTE_LIBRARY;
    else process.env.MOTE_LIBRARY = before;
  }
});
