import type { Report, Row } from "./bench.ts";

/** One figure that two runs have. */
export interface Change {
  readonly what: string;
  readonly unit: string;
  readonly before: number;
  readonly after: number;
  /** How many times `before` it is. */
  readonly ratio: number;
  /** Whether that is more than the runs themselves vary. */
  readonly beyondNoise: boolean;
}

/** What changed between two reports, by case and row; and what only one of them has. */
export function compare(
  a: Report,
  b: Report,
): { changes: Change[]; onlyInOne: string[] } {
  const [before, after] = [rowsOf(a), rowsOf(b)];
  const changes: Change[] = [];
  for (const [what, row] of before) {
    const other = after.get(what);
    if (!other) continue;
    const ratio = other.figures.p50 / row.figures.p50;
    changes.push({
      what,
      unit: row.unit,
      before: row.figures.p50,
      after: other.figures.p50,
      ratio,
      beyondNoise: apart(row, other),
    });
  }
  const onlyInOne = [
    ...[...before.keys()].filter((what) => !after.has(what)),
    ...[...after.keys()].filter((what) => !before.has(what)),
  ];
  return { changes, onlyInOne };
}

function rowsOf({ cases }: Report): Map<string, Row> {
  return new Map(
    Object.entries(cases).flatMap(([name, { rows }]) =>
      rows.map((row) => [`${name}: ${row.what.trim()}`, row] as const)
    ),
  );
}

/**
 * Two series differ when the better one's upper half does not reach the worse one's lower half: the p50 of each lies
 * outside of the other's span from p50 to p90 (towards slow) and from least to p50 (towards fast), by a tenth at least.
 */
function apart(a: Row, b: Row): boolean {
  const [low, high] = a.figures.p50 <= b.figures.p50 ? [a, b] : [b, a];
  if (high.figures.p50 < low.figures.p50 * 1.1) return false;
  return high.figures.p50 > low.figures.p90 &&
      low.figures.p50 < high.figures.min ||
    high.figures.p50 > low.figures.p90 * 1.1;
}
