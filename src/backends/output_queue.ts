import type { RunRequest } from "./backend.ts";

/** Hands chunks to a consumer one after the other, waiting for its promises. */
export class OutputQueue {
  readonly #consume: NonNullable<RunRequest["onOutput"]>;
  readonly #consumed: (bytes: number) => void;
  #last: Promise<void> | undefined;

  /** The consumer never throws; `consumed` is told of every chunk it dealt with. */
  constructor(
    consume: NonNullable<RunRequest["onOutput"]>,
    consumed: (bytes: number) => void,
  ) {
    this.#consume = consume;
    this.#consumed = consumed;
  }

  /** Adds a chunk, whose bytes are the queue's from here on. */
  push(stream: "stdout" | "stderr", bytes: Uint8Array): void {
    const done = this.#last
      ? this.#last.then(() => this.#consume(stream, bytes))
      : this.#consume(stream, bytes);
    if (!done) return this.#consumed(bytes.byteLength);
    const last = done.then(() => {
      this.#consumed(bytes.byteLength);
      if (this.#last === last) this.#last = undefined;
    });
    this.#last = last;
  }

  /** Settles when everything was dealt with; undefined when it already is. */
  get rest(): Promise<void> | undefined {
    return this.#last;
  }
}
