import { artifactsOf } from "./artifacts.ts";
import type {
  RunFailure,
  RunOutcome,
  ToolReply,
  Wall,
} from "./backends/backend.ts";
import { SandboxError } from "./errors.ts";
import type { RunOptions } from "./options.ts";
import { OutputText } from "./output.ts";
import type { EgressEntry, OutputChunk, Receipt, RunResult } from "./result.ts";
import { ToolCalls } from "./tool_calls.ts";
import type { Tool } from "./tools.ts";

const _decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const _none: readonly string[] = Object.freeze([]);

/** How a session's requests are sent. */
export interface SessionEgress {
  /** The name of the call by which the guest asks for one. */
  readonly name: string;
  /** Answers a call, and logs it. */
  readonly answer: (
    input: Uint8Array,
    runEnded: AbortSignal,
    log: EgressEntry[],
  ) => Promise<ToolReply>;
}

/** What all runs of a session have in common. */
export interface RunContext {
  /** Where they run. */
  readonly wall: Wall;
  /** What they may call. */
  readonly tools: Readonly<Record<string, Tool>>;
  /** The wall had to be opened anew. */
  readonly onReplaced?: () => void;
  /** Sends their requests; undefined when the guest may reach nothing. */
  readonly egress?: SessionEgress | undefined;
  /** Their receipt, but for what a single run did. */
  readonly receipt: Omit<
    Receipt,
    "toolCalls" | "libraries" | "egress" | "limitHit"
  >;
}

/** Where the output of a run goes while it runs. */
export interface Sink {
  /** Keeps it and makes text of it. */
  readonly output: OutputText;
  /** Is handed each chunk; a promise holds the guest back. */
  readonly consume: (chunk: OutputChunk) => void | Promise<void>;
  /** Ends the run when the consumer goes away. */
  readonly left?: AbortSignal;
}

/** Runs a program to its end; the error of a run that was ended holds its result. */
export async function runProgram(
  { wall, tools, egress, receipt, onReplaced }: RunContext,
  code: string | Uint8Array,
  options: RunOptions,
  libraries: Receipt["libraries"],
  sink: Sink | undefined = _callbacks(options),
): Promise<RunResult> {
  const calls = new ToolCalls(tools, receipt.limits);
  const requests: EgressEntry[] = [];
  const guard = sink || options.signal
    ? new _Guard(options.signal, sink)
    : undefined;
  let outcome: RunOutcome;
  try {
    outcome = await wall.run({
      code,
      stdin: options.stdin ?? "",
      args: options.args ?? _none,
      timeMs: options.timeoutMs ?? null,
      signal: guard?.signal,
      onOutput: sink && guard?.onOutput,
      onCall: (name, input, signal, id) =>
        egress?.name === name
          ? egress.answer(input, signal, requests)
          : calls.answer(name, input, signal, id),
    });
  } finally {
    guard?.release();
  }
  const stdoutBytes = sink ? sink.output.all("stdout") : outcome.stdout;
  const stderrBytes = sink ? sink.output.all("stderr") : outcome.stderr;
  const { changed, failure, limitHit } = outcome;
  if (failure?.replaced) onReplaced?.();
  const result: RunResult = {
    exitCode: outcome.exitCode,
    stdout: _decoder.decode(stdoutBytes),
    stderr: _decoder.decode(stderrBytes),
    stdoutBytes,
    stderrBytes,
    artifacts: changed?.length
      ? await artifactsOf(wall.files("sandbox"), changed)
      : [],
    timings: outcome.timings,
    ...(limitHit && { limitHit }),
    receipt: {
      ...receipt,
      libraries,
      toolCalls: calls.log,
      egress: requests,
      ...(limitHit && { limitHit }),
    },
  };
  if (guard?.failure) throw guard.failure.error;
  if (failure) throw _error(failure, result, calls, options.signal);
  return result;
}

function _error(
  { code, message, call }: RunFailure,
  result: RunResult,
  calls: ToolCalls,
  signal: AbortSignal | undefined,
): SandboxError {
  if (call !== undefined && calls.failures.has(call)) {
    return new SandboxError(code, message, {
      result,
      cause: calls.failures.get(call),
    });
  }
  if (code === "ABORTED" && signal?.aborted) {
    return new SandboxError(code, message, { result, cause: signal.reason });
  }
  return new SandboxError(code, message, { result });
}

function _callbacks(options: RunOptions): Sink | undefined {
  const { onStdout, onStderr } = options;
  if (!onStdout && !onStderr) return undefined;
  return {
    output: new OutputText(),
    consume: ({ stream, text, bytes }) =>
      (stream === "stdout" ? onStdout : onStderr)?.(text, bytes),
  };
}

/** Ends the run when the caller aborts or a consumer of its output fails or leaves. */
class _Guard {
  readonly #stop = new AbortController();
  readonly #sources: readonly AbortSignal[];
  readonly #sink: Sink | undefined;
  /** What a consumer threw. */
  failure: { readonly error: unknown } | undefined;

  constructor(signal: AbortSignal | undefined, sink: Sink | undefined) {
    this.#sink = sink;
    this.#sources = [signal, sink?.left].filter((one) => one !== undefined);
    for (const source of this.#sources) {
      source.addEventListener("abort", this.#abort);
      if (source.aborted) this.#abort();
    }
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  readonly onOutput = (
    stream: "stdout" | "stderr",
    bytes: Uint8Array,
  ): void | Promise<void> => {
    const { output, consume } = this.#sink!;
    const chunk = output.next(stream, bytes);
    if (this.failure) return;
    try {
      const done = consume(chunk);
      if (typeof done?.then === "function") {
        return Promise.resolve(done).catch(this.#fail);
      }
    } catch (error) {
      this.#fail(error);
    }
  };

  release(): void {
    for (const source of this.#sources) {
      source.removeEventListener("abort", this.#abort);
    }
  }

  readonly #abort = (): void => this.#stop.abort();

  readonly #fail = (error: unknown): void => {
    this.failure ??= { error };
    this.#stop.abort();
  };
}
