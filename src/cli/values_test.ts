import assert from "node:assert/strict";
import { test } from "node:test";
import { isSandboxError } from "../errors.ts";
import { ownExit, runExitOf } from "./exit.ts";
import { wrap } from "./terminal.ts";
import { pair, sizeMb, timeMs } from "./values.ts";

const wrong = (error: unknown) => isSandboxError(error, "INVALID_OPTION");

test("times and sizes are read with their units", () => {
  const times = ["500ms", "5s", "2m", "1h", "1.5", "0.25s"];
  assert.deepEqual(times.map((text) => timeMs(text, "--timeout")), [
    500,
    5_000,
    120_000,
    3_600_000,
    1_500,
    250,
  ]);
  const sizes = ["512", "512m", "2g", "1GiB", "512k", "64MB"];
  assert.deepEqual(sizes.map((text) => sizeMb(text, "--memory")), [
    512,
    512,
    2_048,
    1_024,
    0.5,
    64,
  ]);
  for (const text of ["", "-1", "5 s", "1e3", "s", "0x10", "5d"]) {
    assert.throws(() => timeMs(text, "--timeout"), wrong, text);
    assert.throws(() => sizeMb(text, "--memory"), wrong, text);
  }
});

test("a pair is cut at its first equals sign", () => {
  assert.deepEqual(pair("A=b=c", "--env", "NAME=VALUE"), ["A", "b=c"]);
  assert.deepEqual(pair("A=", "--env", "NAME=VALUE"), ["A", ""]);
  for (const text of ["A", "=b", ""]) {
    assert.throws(() => pair(text, "--env", "NAME=VALUE"), wrong);
  }
});

test("an exit code that is not 0 stays so", () => {
  const codes = [0, 1, 255, 256, 257, -1, 512];
  assert.deepEqual(codes.map(ownExit), [0, 1, 255, 1, 1, 255, 1]);
  assert.equal(runExitOf(new Error("whatever")), 125);
});

test("text is broken at blanks", () => {
  assert.deepEqual(wrap("a bb ccc dddd", 6), ["a bb", "ccc", "dddd"]);
  assert.deepEqual(wrap("longerthanthat x", 4), ["longerthanthat", "x"]);
});
