import type { Summary } from "./measure.ts";

/** One figure of the report. */
export interface Row {
  what: string;
  unit: string;
  figures: Summary;
  /** This row's p50 set against others of the same run, as text: `51x faster than python3`. */
  ratio?: string;
  /** The goal and whether it was met in this run. */
  goal?: { text: string; met: boolean };
}

/** What could not be measured here, and why. It is printed, never dropped. */
export interface Missing {
  what: string;
  why: string;
}

/** How a cost grows. */
export interface Curve {
  /** With what. */
  name: string;
  /** What a size counts. */
  unit: string;
  points: { size: number; ms: number }[];
  /** Fitted where the cost is no longer that of an empty run. */
  exponent: number;
}

/** What a question was answered with. */
export interface Answers {
  rows: Row[];
  missing?: Missing[];
  curves?: Curve[];
}

/** Everything of one run, as `--out` keeps it. */
export interface Report {
  machine: Record<string, unknown>;
  cases: Record<string, Answers>;
}

/** One question, asked by one file in bench/cases. */
export interface Benchmark {
  name: string;
  question: string;
  run(quick: boolean): Promise<Answers>;
}

/** A goal of the form "p50 at most". */
export function atMost(
  value: number,
  limit: number,
  unit: string,
): { text: string; met: boolean } {
  return { text: `≤ ${limit} ${unit}`, met: value <= limit };
}

/** `how often a fits into b`, with two significant digits. */
export function times(a: number, b: number): string {
  return `${Number((b / a).toPrecision(2))}×`;
}

/** A goal of the form "p50 at least". */
export function atLeast(
  value: number,
  limit: number,
  unit: string,
): { text: string; met: boolean } {
  return { text: `≥ ${limit} ${unit}`, met: value >= limit };
}
