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

/** One question, asked by one file in bench/cases. */
export interface Benchmark {
  name: string;
  question: string;
  run(quick: boolean): Promise<{ rows: Row[]; missing?: Missing[] }>;
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
