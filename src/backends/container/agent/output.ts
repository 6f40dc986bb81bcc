import type { ResolvedLimits } from "../../../options.ts";
import type { RunRequest } from "../../backend.ts";
import { OutputQueue } from "../../output_queue.ts";

const _decoder = new TextDecoder("latin1");
const _tailChars = 16_384;

type Stream = "stdout" | "stderr";

/** The output of one run: kept, or handed on as it comes, up to its limit. */
export class RunOutput {
  readonly #limits: ResolvedLimits;
  readonly #queue: OutputQueue | undefined;
  readonly #parts: Record<Stream, Uint8Array[]> = { stdout: [], stderr: [] };
  readonly #exceeded: () => void;
  readonly #consumed: (bytes: number) => void;
  #bytes = 0;
  #closed = false;
  #tail = "";
  /** Whether there was more than its limit. */
  cut = false;
  /** When the first byte came, as `performance.now()`. */
  firstMs: number | undefined;

  /** `exceeded` is called once; `consumed` for bytes that make room for others. */
  constructor(
    request: RunRequest,
    limits: ResolvedLimits,
    exceeded: () => void,
    consumed: (bytes: number) => void,
  ) {
    this.#limits = limits;
    this.#exceeded = exceeded;
    this.#consumed = consumed;
    if (request.onOutput) {
      this.#queue = new OutputQueue(request.onOutput, (bytes) => {
        // What was let go of already made room then.
        if (!this.#closed) this.#consumed(bytes);
      });
    }
  }

  /** Takes a piece, whose bytes are its own. */
  push(stream: Stream, bytes: Uint8Array): void {
    this.firstMs ??= performance.now();
    if (stream === "stderr") {
      const text = _decoder.decode(bytes.subarray(-_tailChars));
      this.#tail = (this.#tail + text).slice(-_tailChars);
    }
    const part = bytes.subarray(0, this.#limits.outputBytes - this.#bytes);
    this.#bytes += part.byteLength;
    if (part.byteLength === 0 || !this.#queue) {
      if (part.byteLength > 0) this.#parts[stream].push(part);
      this.#consumed(bytes.byteLength);
    } else {
      this.#queue.push(stream, part);
      const dropped = bytes.byteLength - part.byteLength;
      if (this.#closed) this.#consumed(bytes.byteLength);
      else if (dropped > 0) this.#consumed(dropped);
    }
    if (part.byteLength === bytes.byteLength || this.cut) return;
    this.cut = true;
    if (this.#limits.onOutputLimit === "fail") this.#exceeded();
  }

  /** The run is being ended: what is on its way waits for no consumer. `waiting` is room for all that was not dealt with. */
  release(waiting: number): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#consumed(waiting);
  }

  /** The last 16 Ki characters of its error output. */
  get tail(): string {
    return this.#tail;
  }

  /** Settles when the consumer has dealt with everything. */
  get rest(): Promise<void> | undefined {
    return this.#queue?.rest;
  }

  /** What was kept of a stream. */
  all(stream: Stream): Uint8Array {
    const parts = this.#parts[stream];
    if (parts.length === 1) return parts[0]!;
    const out = new Uint8Array(
      parts.reduce((sum, { byteLength }) => sum + byteLength, 0),
    );
    let at = 0;
    for (const part of parts) {
      out.set(part, at);
      at += part.byteLength;
    }
    return out;
  }
}
