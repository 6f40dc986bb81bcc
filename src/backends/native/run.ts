import type { Client, Listener } from "../../../ffi/client.ts";
import type { SessionHandle } from "../../../ffi/core.ts";
import type { LimitName, Timings } from "../../result.ts";
import type { RunOutcome, RunRequest } from "../backend.ts";
import { OutputQueue } from "../output_queue.ts";
import { failureOf, statusError } from "./errors.ts";

const _encoder = new TextEncoder();
const _nothing = new Uint8Array(0);
// The library lets 1 MiB go unacknowledged; a quarter of it keeps the guest
// going and costs one message for many chunks.
const _acknowledgeBytes = 262_144;

interface Settle {
  readonly resolve: (outcome: RunOutcome) => void;
  readonly reject: (error: unknown) => void;
}

interface RunOk {
  readonly exitCode?: number;
  readonly stdoutBytes?: number;
  readonly limitHit?: LimitName | null;
  readonly timings?: Timings;
  readonly changed?: readonly string[];
}

/** One run on its way through the native library. */
export class NativeRun implements Listener {
  readonly #client: Client;
  readonly #session: SessionHandle;
  readonly #request: RunRequest;
  readonly #settle: Settle;
  readonly #queue: OutputQueue | undefined;
  #id = 0;
  #ended = false;
  #unacknowledged = 0;
  #calls: AbortController | undefined;

  /** Settles once the run has ended. */
  constructor(
    client: Client,
    session: SessionHandle,
    request: RunRequest,
    settle: Settle,
  ) {
    this.#client = client;
    this.#session = session;
    this.#request = request;
    this.#settle = settle;
    if (request.onOutput) {
      this.#queue = new OutputQueue(request.onOutput, this.#consumed);
    }
  }

  /** Hands the run to the library. */
  begin(head: string, code: Uint8Array, stdin: Uint8Array): void {
    this.#id = this.#client.submit(this.#session, this, head, code, stdin);
    this.#request.signal?.addEventListener("abort", this.#abort);
    if (this.#request.signal?.aborted) this.#abort();
  }

  /** Streamed output. */
  output(stream: "stdout" | "stderr", bytes: Uint8Array): void {
    this.#queue?.push(stream, bytes.slice());
  }

  /** The guest calls a tool. */
  call(id: number, name: string, input: Uint8Array): void {
    const calls = this.#calls ??= new AbortController();
    this.#request.onCall(name, input.slice(), calls.signal, id).then(
      (reply) => {
        if (this.#ended) return;
        if ("json" in reply) {
          const value = _encoder.encode(reply.json);
          this.#client.reply(this.#session, id, '{"ok":true}', value);
        } else {
          const head = JSON.stringify(reply);
          this.#client.reply(this.#session, id, head, _nothing);
        }
      },
    );
  }

  /** The run has ended. */
  done(head: Record<string, unknown>, payload: Uint8Array): void {
    this.#end();
    const ok = (head.ok ?? {}) as RunOk;
    // One copy for both: each allocation is a tenth of what a run may cost here.
    const output = this.#queue || payload.length === 0
      ? _nothing
      : payload.slice();
    const split = ok.stdoutBytes ?? 0;
    const failure = failureOf(head);
    const outcome: RunOutcome = {
      exitCode: ok.exitCode ?? 1,
      stdout: output.subarray(0, split),
      stderr: output.subarray(split),
      timings: ok.timings ?? { queuedMs: 0, startMs: 0, runMs: 0, totalMs: 0 },
      limitHit: ok.limitHit ?? failure?.limit,
      changed: ok.changed,
      failure,
    };
    const rest = this.#queue?.rest;
    if (rest) rest.then(() => this.#settle.resolve(outcome));
    else this.#settle.resolve(outcome);
  }

  /** The library did not take the run. */
  refused(status: number): void {
    this.#end();
    this.#settle.reject(statusError(status));
  }

  readonly #abort = (): void => {
    if (!this.#ended) this.#client.interrupt(this.#session, this.#id);
  };

  readonly #consumed = (bytes: number): void => {
    this.#unacknowledged += bytes;
    if (this.#ended || this.#unacknowledged < _acknowledgeBytes) return;
    this.#client.acknowledge(this.#session, this.#id, this.#unacknowledged);
    this.#unacknowledged = 0;
  };

  #end(): void {
    this.#ended = true;
    this.#request.signal?.removeEventListener("abort", this.#abort);
    this.#calls?.abort();
  }
}
