import assert from "node:assert/strict";
import { test } from "node:test";
import type { Report, Row } from "./bench.ts";
import { compare } from "./compare.ts";
import { growthOf, summarize } from "./measure.ts";

const row = (what: string, ...samples: number[]): Row => ({
  what,
  unit: "µs",
  figures: summarize(samples),
});
const report = (...rows: Row[]): Report => ({
  machine: {},
  cases: { run: { rows } },
});

test("a change within what the runs vary is none", () => {
  const { changes } = compare(
    report(row("a", 10, 11, 12, 20), row("b", 10, 10, 10, 10)),
    report(row("a", 11, 12, 13, 21), row("b", 20, 20, 20, 20)),
  );
  assert.deepEqual(
    changes.map(({ what, ratio, beyondNoise }) => [what, ratio, beyondNoise]),
    [["run: a", 13 / 12, false], ["run: b", 2, true]],
  );
});

test("what only one report has is named", () => {
  const { changes, onlyInOne } = compare(
    report(row("a", 1)),
    report(row("b", 1)),
  );
  assert.deepEqual(changes, []);
  assert.deepEqual(onlyInOne, ["run: a", "run: b"]);
});

test("an exponent is fitted where the cost has left what is fixed", () => {
  const points = [1, 10, 100, 1_000, 10_000].map((size) => ({
    size,
    ms: 50 + size,
  }));
  assert.ok(Math.abs(growthOf(points) - 1) < 0.1, String(growthOf(points)));
  const square = [1, 10, 100].map((size) => ({ size, ms: size ** 2 }));
  assert.ok(Math.abs(growthOf(square) - 2) < 1e-9);
});
