import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import {
  linuxTarget,
  pureTarget,
  pythonQuestion,
  targetOf,
} from "./python_target.ts";

const answer = (...parts: unknown[]) => JSON.stringify(parts);

test("a Python with glibc", () => {
  const target = targetOf(
    answer("cpython", 3, 13, "x86_64", "glibc 2.36", false),
  )!;
  assert.equal(target.version, "3.13");
  assert.equal(target.pure, false);
  const tags = target.tags.join(" ");
  assert.match(tags, /--implementation cp --abi cp313 --abi abi3 --abi none/);
  assert.match(tags, /manylinux_2_36_x86_64/);
  assert.match(tags, /manylinux_2_5_x86_64/);
  assert.match(tags, /manylinux2014_x86_64/);
  assert.doesNotMatch(tags, /manylinux_2_37|manylinux_2_4_|musl/);
});

test("other Pythons", () => {
  const musl = targetOf(answer("cpython", 3, 12, "aarch64", null, false))!;
  assert.match(musl.tags.join(" "), /musllinux_1_2_aarch64/);
  const free = targetOf(
    answer("cpython", 3, 14, "x86_64", "glibc 2.41", true),
  )!;
  assert.match(free.tags.join(" "), /--abi cp314t /);
  const pypy = targetOf(answer("pypy", 3, 10, "x86_64", "glibc 2.36", false))!;
  assert.deepEqual([pypy.pure, pypy.version], [true, "3.10"]);
  const odd = targetOf(answer("cpython", 3, 12, "riscv64", null, false))!;
  assert.equal(odd.pure, true);
});

test("an answer that cannot be is none", () => {
  for (
    const text of [
      "",
      "no json",
      "{}",
      answer(),
      answer("cpython", 2, 7, "x86_64", "glibc 2.36", false),
      answer("cpython", 3, "13 --index-url x", "x86_64", "glibc 2.36", false),
      answer("cpython", 3, 1e9, "x86_64", "glibc 2.36", false),
    ]
  ) assert.equal(targetOf(text), undefined, text);
  const huge = targetOf(
    answer("cpython", 3, 13, "x86_64", "glibc 2.999999", false),
  );
  assert.ok(huge!.tags.length < 250);
});

test("a real Python answers", () => {
  const { stdout, stderr } = spawnSync("python3", ["-c", pythonQuestion], {
    encoding: "utf8",
  });
  assert.ok(targetOf(stdout), stdout + stderr);
});

test("what guests of Mote's own take has not changed", () => {
  assert.equal(
    pureTarget.tags.join(" "),
    "--implementation py --abi none --platform any",
  );
  assert.match(
    linuxTarget.tags.join(" "),
    /^--implementation cp --abi cp311 --abi abi3 --abi none --platform any --platform manylinux_2_36_x86_64 /,
  );
});
