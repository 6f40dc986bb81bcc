import assert from "node:assert/strict";
import { test } from "node:test";
import type { Host } from "../host.ts";
import { findGuest } from "./find.ts";

const sha256 = "a".repeat(64);

function host(files: Record<string, string>): Host {
  return {
    platform: "linux",
    arch: "x64",
    terminal: false,
    env: (name) => name === "MOTE_LIBRARY" ? "/lib/mote/libmote.so" : undefined,
    cwd: () => "/",
    readText: (path) => files[path],
    exists: (path) => path in files,
    log() {},
  };
}

const index = "/lib/mote/images.json";

test("an image beside the library is found", () => {
  const files = {
    [index]: JSON.stringify({ snake: { file: "s.tar.zst", sha256 } }),
    "/lib/mote/s.tar.zst": "",
  };
  assert.deepEqual(findGuest("snake", host(files)), {
    path: "/lib/mote/s.tar.zst",
    sha256,
  });
});

test("an image that is nowhere is GUEST_NOT_FOUND, with the places", () => {
  assert.throws(() => findGuest("crab", host({})), (error: Error) => {
    assert.equal((error as { code?: string }).code, "GUEST_NOT_FOUND");
    assert.match(error.message, /guests\/images\/images\.json/);
    assert.ok(error.message.includes(index));
    return true;
  });
});

test("a list that says nonsense is GUEST_INVALID", () => {
  for (
    const text of [
      "not json",
      JSON.stringify({ wolf: { file: "../../etc/passwd", sha256 } }),
      JSON.stringify({ wolf: { file: "w.tar.zst", sha256: "short" } }),
      JSON.stringify({ wolf: null }),
    ]
  ) {
    assert.throws(() => findGuest("wolf", host({ [index]: text })), {
      code: "GUEST_INVALID",
    });
  }
});
