import assert from "node:assert/strict";
import { test } from "node:test";
import { cacheDir } from "./cache.ts";

type Platform = "linux" | "darwin" | "win32";

const host = (env: Record<string, string>, platform: Platform = "linux") => ({
  env: (name: string) => env[name],
  cwd: () => "/here",
  platform,
});

test("the cache is where the user or the system says", () => {
  const home = { HOME: "/home/u" };
  assert.equal(cacheDir(host({ ...home, MOTE_CACHE_DIR: "/c" })), "/c");
  assert.equal(cacheDir(host({ MOTE_CACHE_DIR: "c" })), "/here/c");
  assert.equal(cacheDir(host({ ...home, XDG_CACHE_HOME: "/x" })), "/x/mote");
  assert.equal(
    cacheDir(host({ ...home, XDG_CACHE_HOME: "relative" })),
    "/home/u/.cache/mote",
  );
  assert.equal(
    cacheDir(host(home, "darwin")),
    "/home/u/Library/Caches/mote",
  );
  assert.equal(
    cacheDir(host({ LOCALAPPDATA: "C:\\L" }, "win32")),
    "C:\\L\\mote\\cache",
  );
  assert.throws(() => cacheDir(host({})), /MOTE_CACHE_DIR/);
});
