/** Percentiles of one series, in the unit of its samples. Outliers are kept. */
export interface Summary {
  n: number;
  min: number;
  p50: number;
  p90: number;
  p99: number;
  max: number;
}

/** Sums up `samples`; throws when there are none, as a figure without samples is no figure. */
export function summarize(samples: readonly number[]): Summary {
  if (samples.length === 0) {
    throw new Error("Cannot sum up a series: it has no samples");
  }
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (q: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
  return {
    n: sorted.length,
    min: sorted[0]!,
    p50: at(0.5),
    p90: at(0.9),
    p99: at(0.99),
    max: sorted.at(-1)!,
  };
}

/** One thing to time. `sample` answers the µs that it took. */
export interface Subject {
  name: string;
  /** Samples taken in each round. */
  perRound: number;
  sample: () => Promise<number>;
}

/**
 * Samples all subjects in turn, round by round, so that a change of the machine's speed meets them all.
 * The first round only warms up.
 */
export async function interleave(
  subjects: readonly Subject[],
  rounds: number,
): Promise<Map<string, number[]>> {
  const series = new Map<string, number[]>(subjects.map((s) => [s.name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const subject of subjects) {
      for (let i = 0; i < subject.perRound; i++) {
        const us = await subject.sample();
        if (round > 0) series.get(subject.name)!.push(us);
      }
    }
  }
  return series;
}

/** Geometric mean. */
export function geometricMean(values: readonly number[]): number {
  return Math.exp(
    values.reduce((sum, v) => sum + Math.log(v), 0) / values.length,
  );
}

/**
 * The exponent of growth: the slope of log(ms) over log(size), by least squares. Sizes whose cost is less than twice
 * the smallest one's are all fixed cost, and left out, as long as three remain.
 */
export function growthOf(
  points: readonly { size: number; ms: number }[],
): number {
  const least = Math.min(...points.map(({ ms }) => ms));
  const grown = points.filter(({ ms }) => ms >= 2 * least);
  const used = grown.length >= 3 ? grown : points.slice(-3);
  const x = used.map(({ size }) => Math.log(size));
  const y = used.map(({ ms }) => Math.log(ms));
  const mean = (values: number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const [mx, my] = [mean(x), mean(y)];
  const top = x.reduce((sum, value, n) => sum + (value - mx) * (y[n]! - my), 0);
  const bottom = x.reduce((sum, value) => sum + (value - mx) ** 2, 0);
  return top / bottom;
}
