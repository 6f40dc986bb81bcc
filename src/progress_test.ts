import assert from "node:assert/strict";
import { test } from "node:test";
import type { Host } from "./host.ts";
import { Reporter } from "./progress.ts";
import type { Progress } from "./result.ts";

function host(terminal: boolean): Host & { lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    terminal,
    platform: "linux",
    arch: "x64",
    env: () => undefined,
    cwd: () => "/",
    readText: () => undefined,
    exists: () => false,
    log: (text) => void lines.push(text),
  };
}

const half: Progress = {
  stage: "compile",
  done: 1,
  total: 2,
  text: "compiling\x1b[31m",
};

test("nothing is said unasked where there is no terminal", () => {
  const to = host(false);
  const report = new Reporter(to, false);
  report.progress(half);
  report.line("x");
  report.clear();
  assert.deepEqual(to.lines, []);
});

test("verbose says each stage once where there is no terminal", () => {
  const to = host(false);
  const report = new Reporter(to, true);
  report.progress(half);
  report.progress({ ...half, done: 2 });
  assert.equal(to.lines.length, 1);
});

test("a bar is drawn on a terminal, without the text's own control characters, and taken away", () => {
  const to = host(true);
  const report = new Reporter(to, true);
  report.progress(half);
  report.progress(half);
  assert.equal(to.lines.length, 1);
  assert.match(to.lines[0]!, /█{12}░{12} {2}50 % compiling \[31m$/);
  report.clear();
  assert.equal(to.lines.at(-1), "\r\x1b[2K");
});

test("events go to the caller as well", () => {
  const seen: Progress[] = [];
  new Reporter(host(false), false, (one) => seen.push(one)).progress(half);
  assert.deepEqual(seen, [half]);
});
