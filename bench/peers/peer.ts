/** A language that peers are compared in. */
export type Lang = "python" | "javascript";

/** Something that runs code: Mote with one of its walls, or what a user would take instead. */
export interface Peer {
  /** What it is called in tables. */
  readonly name: string;
  /** Which language it runs. */
  readonly lang: Lang;
  /** Why it cannot be measured here; undefined when it can. Loads what stays loaded in a process that uses it. */
  missing(): Promise<string | undefined>;
  /** Starts afresh, runs code, and ends everything; µs until the first byte of output, which has to be `expected`. */
  fresh(code: string, expected: string): Promise<number>;
  /** Ends what was loaded. */
  close?(): Promise<void>;
}

/** What every peer prints. */
export const hello: Readonly<Record<Lang, string>> = {
  python: "print('hi')",
  javascript: "console.log('hi')",
};

/** Throws unless a program printed what it should. */
export function assertOutput(
  who: string,
  text: string,
  expected: string,
): void {
  if (text === expected) return;
  throw new Error(`${who} printed ${JSON.stringify(text.slice(0, 500))}`);
}

/** µs since a time of `performance.now()`. */
export const since = (started: number): number =>
  (performance.now() - started) * 1000;
