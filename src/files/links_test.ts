import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { staysInTree, type TreeNode } from "./links.ts";

function look(tree: Record<string, string | null>) {
  return (path: string): TreeNode | undefined => {
    if (!Object.hasOwn(tree, path)) return undefined;
    const target = tree[path];
    return target === null
      ? { kind: "directory" }
      : { kind: "symlink", target: target! };
  };
}

test("links within the tree stay, others do not", () => {
  const node = look({ d: null, "d/up": "..", "d/e": null, loop: "loop" });
  const stays = (at: string, target: string) => staysInTree(at, target, node);
  assert.ok(stays("x", "d/e"));
  assert.ok(stays("d/x", "../d/e/.."));
  assert.ok(stays("x", "not/there"));
  assert.ok(stays("x", "d/up/d"));
  assert.ok(!stays("x", "/etc"));
  assert.ok(!stays("x", ".."));
  assert.ok(!stays("d/x", "../.."));
  assert.ok(!stays("x", "d/up/.."), "by way of another link");
  assert.ok(!stays("x", "d/up/../../etc"), "by way of another link");
  assert.ok(!stays("x", "gone/../../etc"), "past what is not there");
  assert.ok(!stays("x", "loop"));
});

test("what stays by this reckoning stays on a real file system", () => {
  const name = fc.constantFrom("a", "b", "c");
  const step = fc.constantFrom("a", "b", "c", "..", ".");
  const link = fc.record({
    dir: fc.constantFrom("", "a/", "a/b/"),
    name: fc.constantFrom("l", "m", "n"),
    target: fc.array(fc.oneof(step, name, fc.constantFrom("l", "m", "n")), {
      minLength: 1,
      maxLength: 5,
    }).map((parts) => parts.join("/")),
  });
  const base = realpathSync(mkdtempSync(join(tmpdir(), "mote-links-")));
  try {
    let round = 0;
    fc.assert(
      fc.property(fc.array(link, { minLength: 1, maxLength: 4 }), (links) => {
        const root = join(base, `r${round++}`, "tree");
        mkdirSync(join(root, "a/b"), { recursive: true });
        writeFileSync(join(root, "a/c"), "");
        const tree: Record<string, string | null> = { a: null, "a/b": null };
        for (const { dir, name, target } of links) {
          if (dir + name in tree) continue;
          tree[dir + name] = target;
          symlinkSync(target, join(root, dir + name));
        }
        const node = (path: string) =>
          path === "a/c" ? { kind: "file" as const } : look(tree)(path);
        for (const [path, target] of Object.entries(tree)) {
          if (target === null || !staysInTree(path, target, node)) continue;
          let real;
          try {
            real = realpathSync(join(root, path));
          } catch {
            continue;
          }
          assert.ok(real === root || real.startsWith(`${root}/`), path);
        }
      }),
      { numRuns: 100 },
    );
  } finally {
    rmSync(base, { recursive: true });
  }
});
