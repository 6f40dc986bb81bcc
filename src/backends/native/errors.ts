import { Status } from "../../../ffi/abi.ts";
import {
  errorCode,
  SandboxError,
  type SandboxErrorCode,
} from "../../errors.ts";
import type { LimitName } from "../../result.ts";
import type { RunFailure } from "../backend.ts";

/** What to do, for messages of the library that only say what stood in the way. */
const _cures: Readonly<Record<SandboxErrorCode, string>> = {
  INVALID_OPTION: "Correct the option",
  UNSUPPORTED: "Leave it out",
  BACKEND_UNAVAILABLE: "See probe() for what is available",
  GUEST_NOT_FOUND: "Run `deno task build` in a checkout",
  GUEST_INVALID: "Build the guest again, or give another one",
  GUEST_BUILD_FAILED:
    "See that the cache directory (MOTE_CACHE_DIR) is yours and has room",
  TOOLCHAIN_MISSING: "Install it",
  POLICY_VIOLATION: "Change the code",
  TIMED_OUT: "Raise timeoutMs or limits.cpuMs, or make the code faster",
  MEMORY_EXCEEDED: "Raise limits.memoryMb, or make the code use less",
  OUTPUT_EXCEEDED:
    'Raise limits.outputBytes, or set limits.onOutputLimit to "truncate"',
  DISK_EXCEEDED: "Raise limits.workspaceMb or limits.workspaceFiles",
  GUEST_CRASHED: "Change the code; the session can still be used",
  INSTALL_FAILED: "Choose another package",
  FILE_NOT_FOUND: "See listFiles() for what is there",
  PATH_REFUSED: "Give a path in /sandbox",
  TOOL_FAILED: "See the cause; mend the tool or catch ToolError in the code",
  SESSION_CLOSED: "Open another session",
  ABORTED: "Call again to start anew",
  INTERNAL: "Report this as a defect",
};

/** A failure, and the limit behind it. */
export interface NativeFailure extends RunFailure {
  /** The limit that was passed. */
  readonly limit: LimitName | undefined;
}

/** The error in a done event, if it has one. */
export function failureOf(
  head: Record<string, unknown>,
): NativeFailure | undefined {
  const error = head.error as Record<string, unknown> | undefined;
  if (!error) return undefined;
  const code = errorCode(error.code);
  const text = String(error.message);
  const message = text.endsWith(".") ? text : `${text}. ${_cures[code]}.`;
  return {
    code,
    message,
    limit: error.limit as LimitName | undefined,
    call: error.call as number | undefined,
  };
}

/** What a negative status means for the user. */
export function statusError(status: number): SandboxError {
  if (status === Status.StaleHandle || status === Status.Closed) {
    return new SandboxError(
      "SESSION_CLOSED",
      "Cannot use the session: it is closed. Open another.",
    );
  }
  return new SandboxError(
    "INTERNAL",
    `Cannot use the native library: it answered with status ${status}. Report this as a defect.`,
  );
}
