import { SandboxError, type SandboxErrorCode } from "../errors.ts";

/**
 * What `mote` ends with: 0 all went well; 1 it did not, and stderr says why; 2 the command line is
 * wrong; 3 something is missing on this machine, and stderr says how to get it; 130 Ctrl-C, and
 * 143 SIGTERM, after everything was cleaned up; 141 whoever read the output has gone away.
 */
export const Exit = {
  ok: 0,
  failed: 1,
  usage: 2,
  missing: 3,
  interrupted: 130,
  unread: 141,
  terminated: 143,
} as const;

/**
 * What `mote run` and `mote repl` end with beside the program's own codes: above those that
 * programs use, below those of shells and signals. 124 is what `timeout` says, 125 what container
 * engines say of themselves.
 */
export const RunExit = {
  usage: 120,
  missing: 121,
  refused: 122,
  limit: 123,
  time: 124,
  failed: 125,
} as const;

/** The exit code for an error. */
export function exitOf(error: unknown): number {
  if (!(error instanceof SandboxError)) return Exit.failed;
  switch (error.code) {
    case "INVALID_OPTION":
      return Exit.usage;
    case "TOOLCHAIN_MISSING":
    case "BACKEND_UNAVAILABLE":
      return Exit.missing;
    default:
      return Exit.failed;
  }
}

const _runExits: Readonly<Partial<Record<SandboxErrorCode, number>>> = {
  INVALID_OPTION: RunExit.usage,
  UNSUPPORTED: RunExit.usage,
  FILE_NOT_FOUND: RunExit.usage,
  TOOLCHAIN_MISSING: RunExit.missing,
  BACKEND_UNAVAILABLE: RunExit.missing,
  GUEST_NOT_FOUND: RunExit.missing,
  POLICY_VIOLATION: RunExit.refused,
  MEMORY_EXCEEDED: RunExit.limit,
  OUTPUT_EXCEEDED: RunExit.limit,
  DISK_EXCEEDED: RunExit.limit,
  TIMED_OUT: RunExit.time,
};

/** The exit code for an error of a command that runs a program. */
export function runExitOf(error: unknown): number {
  return error instanceof SandboxError
    ? _runExits[error.code] ?? RunExit.failed
    : RunExit.failed;
}

/** A program's exit code as this process can end with it: 0 to 255, and 0 only when it was 0. */
export function ownExit(code: number): number {
  return code & 0xff || (code === 0 ? 0 : 1);
}
