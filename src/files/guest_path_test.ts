import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cleanGuestPath, nameOf, parentOf, within } from "./guest_path.ts";

const clean = (path: unknown) => cleanGuestPath(path, "test");

test("paths in the workspace become relative and plain", () => {
  for (
    const [path, expected] of [
      ["a", "a"],
      ["./a//b/", "a/b"],
      ["a/../b", "b"],
      ["/sandbox", "."],
      ["/sandbox/", "."],
      ["//sandbox/./x", "x"],
      [".", "."],
      ["a/..", "."],
      ["...", "..."],
      ["a\\b", "a\\b"],
    ]
  ) assert.equal(clean(path), expected, String(path));
});

test("paths that leave it are refused", () => {
  for (
    const path of [
      "..",
      "a/../..",
      "/",
      "/etc",
      "/sandbox/..",
      "/sandbox2",
      "/../sandbox",
      "a\0",
      "x".repeat(5_000),
    ]
  ) assert.throws(() => clean(path), { code: "PATH_REFUSED" }, path);
  for (const path of ["", 5, undefined]) {
    assert.throws(() => clean(path), { code: "INVALID_OPTION" });
  }
});

test("whatever is accepted stays in the workspace and stays as it is", () => {
  const segment = fc.constantFrom("..", ".", "", "a", "sandbox", "b c", "é");
  fc.assert(fc.property(
    fc.boolean(),
    fc.array(segment, { minLength: 1 }),
    (absolute, segments) => {
      const path = (absolute ? "/" : "") + segments.join("/");
      let result;
      try {
        result = clean(path);
      } catch {
        return;
      }
      assert.ok(!result.startsWith("/"));
      if (result !== ".") {
        for (const one of result.split("/")) {
          assert.ok(one !== ".." && one !== "." && one !== "");
        }
      }
      assert.equal(clean(result), result);
      assert.equal(clean(`/sandbox/${result}`), result);
    },
  ));
});

test("parts of a path", () => {
  assert.equal(parentOf("a/b"), "a");
  assert.equal(parentOf("a"), ".");
  assert.equal(parentOf("."), undefined);
  assert.equal(nameOf("a/b"), "b");
  assert.equal(within(".", "x"), "x");
  assert.equal(within("a", "x"), "a/x");
});
