import type { Row } from "./bench.ts";
import type { Change } from "./compare.ts";

const digits = (n: number) => n >= 100 ? n.toFixed(0) : n.toPrecision(3);

/** Rows as a table for people. */
export function rowsTable(rows: readonly Row[]): string {
  const head = ["", "min", "p50", "p99", "", "n", "ratio of the p50", "goal"];
  const lines = rows.map((row) => [
    row.what,
    ...[row.figures.min, row.figures.p50, row.figures.p99].map(digits),
    row.unit,
    String(row.figures.n),
    row.ratio ?? "",
    row.goal ? `${row.goal.met ? "met" : "MISSED"} ${row.goal.text}` : "",
  ]);
  return aligned([head, ...lines], [1, 2, 3, 5]);
}

/** Changes as a table for people. */
export function changesTable(changes: readonly Change[]): string {
  const head = ["", "before", "after", "", "times"];
  const lines = changes.map(({ what, before, after, unit, ratio }) => [
    what,
    digits(before),
    digits(after),
    unit,
    ratio.toFixed(2),
  ]);
  return aligned([head, ...lines], [1, 2, 4]);
}

function aligned(lines: readonly string[][], right: readonly number[]): string {
  const widths = lines[0]!.map((_, i) =>
    Math.max(...lines.map((line) => line[i]!.length))
  );
  return lines.map((line) =>
    line.map((cell, i) =>
      right.includes(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)
    ).join("  ").trimEnd()
  ).join("\n");
}
