const _keptWaits = 1_000;

/** How long `acquire` took, in ms, over the last 1,000 sessions that were handed out; zeros before the first. */
export interface PoolWaits {
  /** The middle one. */
  p50: number;
  /** The one that 99 in 100 do not exceed. */
  p99: number;
  /** The longest. */
  max: number;
}

/** What goes on in a pool, and what went on since it was made. */
export interface PoolStats {
  /** Sessions that are ready for a user. */
  ready: number;
  /** Sessions in use, those beyond `max` included. */
  busy: number;
  /** Sessions that are being opened. */
  opening: number;
  /** Sessions that are being made as new, or closed. */
  cleaning: number;
  /** Calls of `acquire` that wait. */
  waiting: number;
  /** Sessions handed out. */
  acquired: number;
  /** Walls opened. */
  opened: number;
  /** Times that a wall was made as new for another user. */
  reused: number;
  /** Walls closed. */
  closed: number;
  /** Walls that could not be opened, cleaned or closed, or were lost while they were ready. */
  failures: number;
  /** How long `acquire` took. */
  waitMs: PoolWaits;
}

/** Counts since a pool was made. */
export class Tally {
  /** Sessions handed out. */
  acquired = 0;
  /** Walls opened. */
  opened = 0;
  /** Walls made as new. */
  reused = 0;
  /** Walls closed. */
  closed = 0;
  /** What went wrong. */
  failures = 0;
  readonly #waits: number[] = [];

  /** A session was handed out after so many ms. */
  handedOut(ms: number): void {
    this.#waits[this.acquired++ % _keptWaits] = ms;
  }

  /** How long the last ones took. */
  waits(): PoolWaits {
    const sorted = [...this.#waits].sort((a, b) => a - b);
    const at = (part: number) =>
      sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ??
        0;
    return { p50: at(0.5), p99: at(0.99), max: at(1) };
  }
}
