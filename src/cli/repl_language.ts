import type { RunResult } from "../result.ts";

/** Runs code in the session; the output goes to the user as it comes. */
export type RunCode = (code: string) => Promise<RunResult>;

/** What became of a piece of input. */
export type Step =
  /** It is not whole: more lines have to come. */
  | { readonly kind: "more" }
  /** It ran. */
  | { readonly kind: "done"; readonly ok: boolean }
  /** It asked for the end. */
  | { readonly kind: "exit"; readonly code: number };

/** How a language is spoken at a prompt. */
export interface ReplLanguage {
  /** Its name for people. */
  readonly title: string;
  /** Before a new piece of input. */
  readonly prompt: string;
  /** Before a further line of it. */
  readonly more: string;
  /** Makes a fresh interpreter ready. */
  begin(run: RunCode): Promise<void>;
  /** Runs a piece of input and prints what it is worth; `last` when no more lines can come. */
  step(text: string, run: RunCode, last: boolean): Promise<Step>;
  /** Runs a whole file. */
  load(text: string, run: RunCode): Promise<Step>;
}
