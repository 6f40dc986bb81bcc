import type { Writable } from "node:stream";
import type { Output } from "./terminal.ts";

/** A stream of this process as commands write to it; what goes wrong with it is said once. */
export class Writer implements Output {
  readonly stream: Writable & { isTTY?: boolean; columns?: number };
  readonly #onError: (error: Error & { code?: string }) => void;
  readonly #pending = new Set<() => void>();
  #broken = false;

  /** Wraps a stream; the caller hears of its first error. */
  constructor(
    stream: Writer["stream"],
    onError: (error: Error & { code?: string }) => void,
  ) {
    this.stream = stream;
    this.#onError = onError;
    stream.on("error", this.#fail);
    stream.on("close", this.#drop);
  }

  /** Whether somebody looks at it. */
  get isTerminal(): boolean {
    return this.stream.isTTY === true;
  }

  /** Its width in characters. */
  get columns(): number {
    return this.stream.columns ?? 80;
  }

  /** Writes text. */
  write(text: string): void {
    void this.#write(text);
  }

  /** Writes bytes; resolves when they have been taken, or never can be. */
  bytes(chunk: Uint8Array): Promise<void> {
    return this.#write(chunk);
  }

  /** Resolves when everything before has been taken. */
  flushed(): Promise<void> {
    return this.#write("");
  }

  /** Lets go of the stream. */
  release(): void {
    this.stream.off("error", this.#fail);
    this.stream.off("close", this.#drop);
  }

  #write(chunk: Uint8Array | string): Promise<void> {
    if (this.#broken || this.stream.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (error?: Error | null) => {
        if (error) this.#fail(error);
        this.#pending.delete(resolve);
        resolve();
      };
      this.#pending.add(resolve);
      try {
        this.stream.write(chunk, done);
      } catch (error) {
        // As Deno does where a disk is full; the stream then waits for ever.
        done(error as Error);
      }
    });
  }

  readonly #drop = (): void => {
    for (const resolve of this.#pending) resolve();
    this.#pending.clear();
  };

  readonly #fail = (error: Error): void => {
    if (this.#broken) return;
    this.#broken = true;
    this.#onError(error);
  };
}
