import {
  type Check,
  integer,
  invalid,
  number,
  object,
  oneOf,
} from "./check.ts";

/** What one run may use up. Passing a limit ends the run, never the session. */
export interface Limits {
  /** Wall-clock time per run, in ms, tools and sleeping included. @default 30_000; 1 to 3_600_000 */
  timeMs?: number;
  /** Time on the processor per run, in ms. @default none; 1 to 3_600_000 */
  cpuMs?: number;
  /** Memory of the guest, in MiB. @default 256, in containers 1_024; 1 to 4_096, in containers 65_536 */
  memoryMb?: number;
  /** Processors of a container, in fractions. @default none, in containers 1; 0.01 to 256 */
  cpus?: number;
  /** Standard output and error together per run, in bytes. @default 8_388_608; 1 to 1_072_693_248 */
  outputBytes?: number;
  /** What happens to output past its limit: end the run, or cut and go on. @default "fail" */
  onOutputLimit?: "fail" | "truncate";
  /** Files of the session together, in MiB. @default 256; 1 to 4_096 */
  workspaceMb?: number;
  /** Number of files and directories of the session; `kubernetes` cannot limit it. @default 10_000; 1 to 1_000_000 */
  workspaceFiles?: number;
  /** Processes at a time, in containers with their threads. A `wasm` guest is one process and can start none, so any value holds. @default 1, in containers 256; 1 to 10_000 */
  processes?: number;
  /** Calls to tools per run. @default 1_000; 0 to 1_000_000 */
  toolCalls?: number;
  /** Input of one call and its answer, in bytes each. @default 8_388_608; 1 to 268_435_456 */
  toolBytes?: number;
  /** Time of one call to a tool, in ms. @default 30_000; 1 to 3_600_000 */
  toolTimeMs?: number;
}

/** Limits with every default filled in. */
export interface ResolvedLimits
  extends Required<Omit<Limits, "cpuMs" | "cpus">> {
  /** Time on the processor per run, in ms; null is none. */
  cpuMs: number | null;
  /** Processors, in fractions; null where the wall has no such limit. */
  cpus: number | null;
}

/** A time in ms. */
export const timeMs: Check<number> = integer(1, 3_600_000, "ms");

/** Checks limits as they are given. */
export const limitFields: Check<Limits> = object<Limits>({
  timeMs: timeMs,
  cpuMs: timeMs,
  memoryMb: integer(1, 65_536, "MiB"),
  cpus: number(0.01, 256, "processors"),
  outputBytes: integer(1, 1_072_693_248, "bytes"),
  onOutputLimit: oneOf(["fail", "truncate"]),
  workspaceMb: integer(1, 4_096, "MiB"),
  workspaceFiles: integer(1, 1_000_000, "files"),
  processes: integer(1, 10_000, "processes"),
  toolCalls: integer(0, 1_000_000, "calls"),
  toolBytes: integer(1, 268_435_456, "bytes"),
  toolTimeMs: timeMs,
});

/** What `limits.workspaceFiles` is where nothing is said. */
export const defaultWorkspaceFiles = 10_000;

/** Limits where none are given. */
const _defaults: ResolvedLimits = Object.freeze<ResolvedLimits>({
  timeMs: 30_000,
  cpuMs: null,
  memoryMb: 256,
  cpus: null,
  outputBytes: 8_388_608,
  onOutputLimit: "fail",
  workspaceMb: 256,
  workspaceFiles: defaultWorkspaceFiles,
  processes: 1,
  toolCalls: 1_000,
  toolBytes: 8_388_608,
  toolTimeMs: 30_000,
});

/** A container's memory holds its workspace too, and an interpreter that was not made small for it. */
const _containerDefaults: ResolvedLimits = Object.freeze<ResolvedLimits>({
  ..._defaults,
  memoryMb: 1_024,
  cpus: 1,
  processes: 256,
});

/** Every limit by name. */
export const limitNames: readonly string[] = Object.keys(_defaults);

/** Limits as a session's options give them, under whichever of their names. */
export function resolveLimits(
  { timeoutMs, limits, rights }: {
    readonly timeoutMs?: number;
    readonly limits?: Limits;
    readonly rights?: { readonly time?: number; readonly memory?: number };
  },
  contained: boolean,
): ResolvedLimits {
  const timeMs = _one("limits.timeMs", limits?.timeMs, {
    timeoutMs,
    "rights.time": rights?.time,
  });
  const memoryMb = _one("limits.memoryMb", limits?.memoryMb, {
    "rights.memory": rights?.memory,
  });
  if (!contained && (memoryMb ?? 0) > 4_096) {
    const cure =
      "Give a whole number of MiB from 1 to 4096, or use a container backend.";
    throw invalid("limits.memoryMb", `it is ${memoryMb}`, cure);
  }
  const defaults = contained ? _containerDefaults : _defaults;
  // Sessions without limits of their own share one object.
  if (timeMs === undefined && memoryMb === undefined && !limits) {
    return defaults;
  }
  return Object.freeze({
    ...defaults,
    ...limits,
    ...(timeMs !== undefined && { timeMs }),
    ...(memoryMb !== undefined && { memoryMb }),
  });
}

/** The value of a limit that has several names. */
function _one(
  name: string,
  value: number | undefined,
  others: Readonly<Record<string, number | undefined>>,
): number | undefined {
  for (const [other, same] of Object.entries(others)) {
    if (same === undefined) continue;
    if (value !== undefined && value !== same) {
      const state = `it is ${same} and ${name}, the same limit, is ${value}`;
      throw invalid(other, state, "Give one of them.");
    }
    value = same;
  }
  return value;
}
