import type { Interface } from "node:readline";
import { historySize } from "./repl_history.ts";
import type { Surface } from "./terminal.ts";

/** What a user does at a prompt. */
export type Entry =
  | { readonly kind: "line"; readonly text: string }
  /** Ctrl-C at the prompt. */
  | { readonly kind: "cancel" }
  /** Ctrl-D, or the end of a file. */
  | { readonly kind: "end" };

/** Lines of the user's, one after the other. */
export interface Lines {
  /** Whether somebody types them. */
  readonly typed: boolean;
  /** What was typed until now, the newest first. */
  readonly history: readonly string[];
  /** The next one; `prompt` is shown where somebody types. */
  next(prompt: string): Promise<Entry>;
  /** Calls `cancel` on Ctrl-C for as long as `work` takes. */
  during<T>(work: Promise<T>, cancel: () => void): Promise<T>;
  /** Gives the terminal back. */
  close(): void;
}

/** Reads lines from the surface: with a prompt, editing and history where both ends are a terminal. */
export async function openLines(
  surface: Surface,
  history: readonly string[],
): Promise<Lines> {
  const { createInterface } = await import("node:readline");
  const input = surface.in.stream();
  const output = surface.out.stream;
  const typed = surface.in.isTerminal && surface.out.isTerminal &&
    output !== undefined;
  return new _Lines(
    createInterface({
      input,
      ...(typed && { output, history: [...history] }),
      terminal: typed,
      historySize,
      removeHistoryDuplicates: true,
      crlfDelay: Infinity,
    }),
    typed,
    history,
    surface.signal,
  );
}

// A file is read no further ahead than this.
const _mostAhead = 1_000;

class _Lines implements Lines {
  readonly typed: boolean;
  readonly #readline: Interface;
  readonly #ahead: Entry[] = [];
  #waiting: ((entry: Entry) => void) | undefined;
  #cancel: (() => void) | undefined;
  #paused = false;
  history: readonly string[];

  constructor(
    readline: Interface,
    typed: boolean,
    history: readonly string[],
    signal: AbortSignal,
  ) {
    this.#readline = readline;
    this.typed = typed;
    this.history = history;
    readline.on("line", (text) => this.#add({ kind: "line", text }));
    readline.on("close", () => this.#add({ kind: "end" }));
    readline.on("history", (lines) => {
      this.history = [...lines];
    });
    // In raw mode Ctrl-C is a key, not a signal.
    readline.on("SIGINT", () => {
      if (this.#cancel) this.#cancel();
      else this.#add({ kind: "cancel" });
    });
    signal.addEventListener("abort", () => this.close());
    if (signal.aborted) this.close();
  }

  next(prompt: string): Promise<Entry> {
    if (this.typed) {
      this.#readline.setPrompt(prompt);
      this.#readline.prompt();
    }
    const entry = this.#ahead.shift();
    if (this.#paused && this.#ahead.length < _mostAhead / 2) {
      this.#paused = false;
      this.#readline.resume();
    }
    if (entry) return Promise.resolve(entry);
    return new Promise((resolve) => this.#waiting = resolve);
  }

  async during<T>(work: Promise<T>, cancel: () => void): Promise<T> {
    this.#cancel = cancel;
    try {
      return await work;
    } finally {
      this.#cancel = undefined;
    }
  }

  close(): void {
    this.#readline.close();
  }

  #add(entry: Entry): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) return waiting(entry);
    this.#ahead.push(entry);
    if (this.#ahead.length >= _mostAhead && !this.#paused) {
      this.#paused = true;
      this.#readline.pause();
    }
  }
}
