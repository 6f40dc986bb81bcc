import type { OutputChunk } from "./result.ts";

const _nothing = new Uint8Array(0);

/** Turns the bytes of both streams into text, across the borders of chunks, and keeps them. */
export class OutputText {
  readonly #decoders = {
    stdout: new TextDecoder("utf-8", { ignoreBOM: true }),
    stderr: new TextDecoder("utf-8", { ignoreBOM: true }),
  };
  readonly #kept: Record<OutputChunk["stream"], Uint8Array[]> = {
    stdout: [],
    stderr: [],
  };

  /** A chunk with its text. */
  next(stream: OutputChunk["stream"], bytes: Uint8Array): OutputChunk {
    this.#kept[stream].push(bytes);
    const text = this.#decoders[stream].decode(bytes, { stream: true });
    return { stream, text, bytes };
  }

  /** What is left of characters that never got complete. */
  end(): OutputChunk[] {
    return (["stdout", "stderr"] as const)
      .map((stream) => ({
        stream,
        text: this.#decoders[stream].decode(),
        bytes: _nothing,
      }))
      .filter(({ text }) => text !== "");
  }

  /** Everything of one stream. */
  all(stream: OutputChunk["stream"]): Uint8Array {
    const parts = this.#kept[stream];
    let size = 0;
    for (const part of parts) size += part.byteLength;
    const out = new Uint8Array(size);
    let at = 0;
    for (const part of parts) {
      out.set(part, at);
      at += part.byteLength;
    }
    return out;
  }
}

/** Hands chunks from a run that pushes them to a loop that pulls them. */
export class OutputChannel {
  #waiting: { chunk: OutputChunk; taken: () => void }[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  /** Offers a chunk; the promise settles when the loop has taken it. */
  push(chunk: OutputChunk): Promise<void> | void {
    if (this.#ended) return;
    return new Promise((taken) => {
      this.#waiting.push({ chunk, taken });
      this.#wake?.();
    });
  }

  /** Nothing comes any more, or nobody takes any more. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** Lets go of what nobody will take. */
  drop(): void {
    this.end();
    for (const { taken } of this.#waiting.splice(0)) taken();
  }

  /** The next chunk; undefined at the end. */
  async take(): Promise<OutputChunk | undefined> {
    for (;;) {
      const first = this.#waiting.shift();
      if (first) {
        first.taken();
        return first.chunk;
      }
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }
}
