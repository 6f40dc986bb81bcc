import type { ResolvedLimits } from "../../../options.ts";
import type { LimitName } from "../../../result.ts";
import type { RunFailure } from "../../backend.ts";
import { type Done, type FailedCall, Uncaught } from "./calls.ts";
import { Reason, type Report } from "./process.ts";

/** Why the host ends a run. */
export type Stop =
  | { readonly why: "time" | "output" | "aborted" | "closed" }
  | { readonly why: "refused" | "lost"; readonly failure: RunFailure };

/** What is known of a run that has ended. */
export interface Evidence {
  /** Why the host ended it, if it did. */
  readonly stop: Stop | undefined;
  /** What the agent says, if it could. */
  readonly report: Report | undefined;
  /** What the driver says, if there is one and it could. */
  readonly done: Done | undefined;
  /** Calls that failed. */
  readonly failedCalls: ReadonlyMap<number, FailedCall> | undefined;
  /** A limit stood in the way of a call. */
  readonly callLimited: boolean;
  /** There was more output than its limit. */
  readonly cut: boolean;
  /** The session's limits. */
  readonly limits: ResolvedLimits;
  /** The run's limit of time. */
  readonly timeMs: number;
  /** It has a driver, and so a limit of its own for data. */
  readonly driven: boolean;
  /** The end of its error output. */
  readonly complaint: string;
  /** What the language says there when memory ran out. */
  readonly outOfMemory: RegExp | undefined;
  /** An interactive session has lost its state. */
  readonly stateLost: boolean;
}

/** How a run ended. */
export interface Verdict {
  /** What the program ended with; 128 and the signal, if one ended it. */
  readonly exitCode: number;
  /** The limit that it ran into. */
  readonly limitHit?: LimitName | undefined;
  /** Why `run()` throws, if it does. */
  readonly failure?: RunFailure | undefined;
}

/** Signals of a program that was refused memory and did not cope. */
const _crashes = [4, 5, 6, 7, 11];
const _outOfMemory = /(heap|process) out of memory|std::bad_alloc/;
const _mib = 1_048_576;
/** A process that came so near to its limit of memory has met it: what it was refused is not in the figure. */
const _nearBytes = 2 * _mib;

/** Judges how a run ended. */
export function verdict(evidence: Evidence): Verdict {
  const { report, done, stop } = evidence;
  const status = report?.status ?? 1;
  const told = done && !stop &&
    (status === 0 || report?.reason === Reason.host);
  const exitCode = told
    ? done.exitCode
    : status < 0
    ? 128 - status
    : status & 0xff;
  const found = (stop && _ofStop(stop, evidence)) ?? _ofReport(evidence) ??
    _ofDone(evidence);
  if (found) {
    const [failure, limitHit] = found;
    const lost = evidence.stateLost && failure.code !== "SESSION_CLOSED"
      ? " The interpreter's state is lost; files are not."
      : "";
    const message = `${failure.message}${lost}`;
    return {
      exitCode: exitCode || 1,
      limitHit,
      failure: { ...failure, message },
    };
  }
  return { exitCode, limitHit: _coped(evidence) };
}

type Found = readonly [RunFailure, LimitName | undefined];

function _failure(
  code: RunFailure["code"],
  state: string,
  cure: string,
  limit?: LimitName,
): Found {
  return [{ code, message: `Cannot run code: ${state}. ${cure}.` }, limit];
}

function _ofStop(stop: Stop, { limits, timeMs }: Evidence): Found {
  switch (stop.why) {
    case "time":
      return _time(timeMs);
    case "output":
      return _failure(
        "OUTPUT_EXCEEDED",
        `it printed more than ${limits.outputBytes} bytes`,
        'Raise limits.outputBytes, or set limits.onOutputLimit to "truncate"',
        "output",
      );
    case "aborted":
      return _failure("ABORTED", "the caller aborted it", "Run again");
    case "closed":
      return _failure(
        "SESSION_CLOSED",
        "the session was closed",
        "Open another",
      );
    default:
      return [stop.failure, undefined];
  }
}

function _time(timeMs: number): Found {
  return _failure(
    "TIMED_OUT",
    `${timeMs} ms limit passed`,
    "Raise timeoutMs, or make the code faster",
    "time",
  );
}

function _memory({ limits }: Evidence): Found {
  return _failure(
    "MEMORY_EXCEEDED",
    `it needs more than ${limits.memoryMb} MiB`,
    "Raise limits.memoryMb, or make the code use less",
    "memory",
  );
}

function _disk({ limits }: Evidence): Found {
  return _failure(
    "DISK_EXCEEDED",
    `it needs more than ${limits.workspaceMb} MiB or ${limits.workspaceFiles} files`,
    "Raise limits.workspaceMb or limits.workspaceFiles",
    "workspace",
  );
}

/** Why the agent ended it, or what ended its main process. */
function _ofReport(evidence: Evidence): Found | undefined {
  const { report, limits, timeMs } = evidence;
  switch (report?.reason) {
    case Reason.time:
      return _time(timeMs);
    case Reason.cpu:
      return _failure(
        "TIMED_OUT",
        `${limits.cpuMs} ms limit of CPU time passed`,
        "Raise limits.cpuMs, or make the code faster",
        "cpu",
      );
    case Reason.memory:
      return _memory(evidence);
    case Reason.processes:
      return _failure(
        "GUEST_CRASHED",
        `it has more than ${limits.processes} processes`,
        "Raise limits.processes, or start fewer",
      );
    case Reason.remains:
      return _failure(
        "GUEST_CRASHED",
        "processes that it left behind could not be ended beside it",
        "Wait for them in the code",
      );
  }
  if (!report || report.status === 0 || evidence.done?.flags) return undefined;
  if (report.status < 0 && report.memoryKills > 0) return _memory(evidence);
  const { complaint, outOfMemory, driven } = evidence;
  const crashed = _crashes.includes(-report.status);
  const said = (outOfMemory?.test(complaint) ?? false) ||
    (crashed && _outOfMemory.test(complaint)) ||
    (crashed && driven && report.peakBytes >= limits.memoryMb * _mib);
  return said ? _memory(evidence) : undefined;
}

/** What the code did not handle. */
function _ofDone(evidence: Evidence): Found | undefined {
  const { report, done, failedCalls } = evidence;
  if (!done) {
    // Without a driver nobody says why it failed; a workspace that is full since then is reason enough.
    return report?.full && report.status !== 0 ? _disk(evidence) : undefined;
  }
  if (done.flags & Uncaught.memory) return _memory(evidence);
  if (done.flags & Uncaught.disk) return _disk(evidence);
  if (!(done.flags & Uncaught.tool)) return undefined;
  const call = failedCalls?.get(done.call);
  const state = call
    ? `tool ${call.tool} failed and the code did not handle it: ${call.message}`
    : "a tool failed and the code did not handle it";
  const [failure] = _failure(
    "TOOL_FAILED",
    state,
    "See the cause; mend the tool or catch ToolError in the code",
  );
  return [
    { ...failure, ...(call && { call: done.call }) },
    call?.limit ? "tools" : undefined,
  ];
}

/** A limit that it ran into and coped with. */
function _coped(evidence: Evidence): LimitName | undefined {
  const { report, cut, callLimited, done, limits } = evidence;
  if (cut) return "output";
  if (report?.full) return "workspace";
  const near = limits.memoryMb * _mib -
    Math.max(_nearBytes, limits.memoryMb * _mib / 50);
  if (report?.memoryKills || (done && done.peakBytes >= near)) return "memory";
  return callLimited ? "tools" : undefined;
}
