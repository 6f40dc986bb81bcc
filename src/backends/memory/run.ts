import { SandboxError } from "../../errors.ts";
import type { ResolvedLimits } from "../../options.ts";
import type { LimitName } from "../../result.ts";
import type {
  RunFailure,
  RunOutcome,
  RunRequest,
  ToolReply,
} from "../backend.ts";
import { OutputQueue } from "../output_queue.ts";
import {
  runScript,
  ScriptError,
  type ScriptHost,
  Stopped,
  ToolFault,
} from "./script.ts";
import { FileFault, type MemoryTree } from "./tree.ts";

const _encoder = new TextEncoder();
const _unreadBytes = 1_048_576;
const _mib = 1_048_576;

/** What a run shares with the others of its session. */
export interface RunPlace {
  readonly tree: MemoryTree;
  readonly env: Readonly<Record<string, string>>;
  readonly tools: readonly string[];
  readonly limits: ResolvedLimits;
  readonly state: Map<string, unknown>;
}

interface Stop {
  readonly failure: RunFailure;
  readonly limit?: LimitName;
}

/** One run of the double. */
export class MemoryRun implements Pick<ScriptHost, "write" | "wait" | "call"> {
  readonly #request: RunRequest;
  readonly #place: RunPlace;
  readonly #queue: OutputQueue | undefined;
  readonly #parts: { stdout: Uint8Array[]; stderr: Uint8Array[] } = {
    stdout: [],
    stderr: [],
  };
  readonly #ended = new AbortController();
  readonly #called = performance.now();
  #startedMs = 0;
  #firstByteMs: number | undefined;
  #outputBytes = 0;
  #unreadBytes = 0;
  #calls = 0;
  #limitHit: LimitName | undefined;
  #stop: Stop | undefined;
  #stopped: (() => void) | undefined;
  #leaveQueue: ((outcome: RunOutcome) => void) | undefined;
  /** Settles when the run is stopped before its turn has come. */
  readonly left: Promise<RunOutcome>;

  /** A run that waits for its turn. */
  constructor(request: RunRequest, place: RunPlace) {
    this.#request = request;
    this.#place = place;
    this.left = new Promise((resolve) => this.#leaveQueue = resolve);
    if (request.onOutput) {
      this.#queue = new OutputQueue(
        request.onOutput,
        (bytes) => void (this.#unreadBytes -= bytes),
      );
    }
    request.signal?.addEventListener("abort", this.#abort);
    if (request.signal?.aborted) this.#abort();
  }

  /** Ends the run. */
  stop(
    code: RunFailure["code"],
    message: string,
    limit?: LimitName,
    call?: number,
  ): void {
    if (this.#stop) return;
    this.#stop = { failure: { code, message, call }, ...(limit && { limit }) };
    this.#stopped?.();
    this.#leaveQueue?.(this.#outcome(1, []));
  }

  /** Runs it, its turn having come. */
  async run(): Promise<RunOutcome> {
    this.#leaveQueue = undefined;
    this.#startedMs = performance.now();
    const { limits, tree } = this.#place;
    const timeMs = this.#request.timeMs ?? limits.timeMs;
    const timer = setTimeout(() =>
      this.stop(
        "TIMED_OUT",
        `Cannot run code: ${timeMs} ms limit passed. Raise timeoutMs.`,
        "time",
      ), timeMs);
    tree.changed.clear();
    let exitCode = 1;
    try {
      if (!this.#stop) exitCode = await this.#script();
    } finally {
      clearTimeout(timer);
      this.#ended.abort();
      this.#request.signal?.removeEventListener("abort", this.#abort);
    }
    const changed = [...tree.changed].slice(0, 100);
    await this.#queue?.rest;
    return this.#outcome(exitCode, changed);
  }

  async #script(): Promise<number> {
    const { tree, env, state, limits } = this.#place;
    const { code, stdin, args } = this.#request;
    const bytes = (value: string | Uint8Array) =>
      typeof value === "string" ? _encoder.encode(value) : value;
    const host: ScriptHost = {
      tree,
      env,
      state,
      args,
      stdin: bytes(stdin),
      memoryBytes: limits.memoryMb * _mib,
      write: (stream, part) => this.write(stream, part),
      wait: (event) => this.wait(event),
      nextCall: () => ++this.#calls,
      call: (name, input, id) => this.call(name, input, id),
      hit: (limit) => void (this.#limitHit = limit),
    };
    try {
      return await runScript(bytes(code), host);
    } catch (error) {
      if (!(error instanceof Stopped)) this.#uncaught(error);
      return 1;
    }
  }

  /** What an error that the program did not catch means. */
  #uncaught(error: unknown): void {
    const { memoryMb, workspaceMb } = this.#place.limits;
    if (error instanceof FileFault && error.kind === "DiskFull") {
      this.stop(
        "DISK_EXCEEDED",
        `Cannot run code: the workspace holds ${workspaceMb} MiB and no more files than limits.workspaceFiles. Raise the limit.`,
        "workspace",
      );
    } else if (error instanceof ToolFault && error.reason !== "input") {
      this.stop(
        "TOOL_FAILED",
        `Cannot run code: ${error.message}. Mend the tool, or catch ToolError in the code.`,
        error.reason === "limit" ? "tools" : undefined,
        error.call,
      );
    } else if (error instanceof ScriptError && error.kind === "MemoryError") {
      this.stop(
        "MEMORY_EXCEEDED",
        `Cannot run code: it needs more than ${memoryMb} MiB. Raise limits.memoryMb.`,
        "memory",
      );
    } else if (!(error instanceof ScriptError || error instanceof FileFault)) {
      throw error;
    }
  }

  /** Writes output under the limit. */
  async write(stream: "stdout" | "stderr", bytes: Uint8Array): Promise<void> {
    const { outputBytes, onOutputLimit } = this.#place.limits;
    const part = bytes.subarray(0, outputBytes - this.#outputBytes);
    if (part.length > 0) this.#emit(stream, part);
    if (part.length < bytes.length) {
      this.#limitHit = "output";
      if (onOutputLimit === "fail") {
        this.stop(
          "OUTPUT_EXCEEDED",
          `Cannot run code: it printed more than ${outputBytes} bytes. Raise limits.outputBytes, or set limits.onOutputLimit to "truncate".`,
          "output",
        );
      }
    }
    await this.wait(
      this.#unreadBytes > _unreadBytes ? this.#queue?.rest : undefined,
    );
  }

  #emit(stream: "stdout" | "stderr", part: Uint8Array): void {
    this.#firstByteMs ??= performance.now() - this.#called;
    this.#outputBytes += part.length;
    this.#unreadBytes += part.length;
    if (this.#queue) this.#queue.push(stream, part);
    else this.#parts[stream].push(part);
  }

  /** Waits for something, or one turn of the event loop, unless stopped. */
  async wait<T>(event?: Promise<T>): Promise<T | undefined> {
    const stopped = new Promise<undefined>((resolve) =>
      this.#stopped = () => resolve(undefined)
    );
    let value: T | undefined;
    if (!this.#stop) {
      const turn = new Promise<undefined>((resolve) =>
        setTimeout(() => resolve(undefined), 0)
      );
      value = await Promise.race([event ?? turn, stopped]);
    }
    if (this.#stop) throw new Stopped();
    return value;
  }

  /** Calls a tool under the limits. */
  call(name: string, input: Uint8Array, id: number): Promise<ToolReply> {
    const { toolCalls, toolBytes } = this.#place.limits;
    const refuse = (error: "failed" | "limit", message: string) =>
      Promise.resolve<ToolReply>({ error, message });
    if (!this.#place.tools.includes(name)) {
      return refuse("failed", `there is no tool ${name}`);
    }
    if (id > toolCalls) {
      return refuse("limit", `more than ${toolCalls} calls of tools`);
    }
    if (input.length > toolBytes) {
      return refuse("limit", `${name}: input of more than ${toolBytes} bytes`);
    }
    return this.#request.onCall(name, input, this.#ended.signal, id);
  }

  readonly #abort = (): void =>
    this.stop("ABORTED", "Cannot run code: the caller aborted it. Run again.");

  #outcome(exitCode: number, changed: readonly string[]): RunOutcome {
    const ended = performance.now();
    const limitHit = this.#stop ? this.#stop.limit : this.#limitHit;
    return {
      exitCode,
      stdout: _join(this.#parts.stdout),
      stderr: _join(this.#parts.stderr),
      timings: {
        queuedMs: (this.#startedMs || ended) - this.#called,
        startMs: 0,
        runMs: this.#startedMs ? ended - this.#startedMs : 0,
        totalMs: ended - this.#called,
        ...(this.#firstByteMs !== undefined && {
          firstByteMs: this.#firstByteMs,
        }),
      },
      limitHit,
      changed,
      failure: this.#stop?.failure,
    };
  }
}

function _join(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, one) => sum + one.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** The error for what is asked of a closed session. */
export function sessionClosed(): SandboxError {
  return new SandboxError(
    "SESSION_CLOSED",
    "Cannot use the session: it is closed. Open another.",
  );
}
