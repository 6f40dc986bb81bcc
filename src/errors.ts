import type { RunResult } from "./result.ts";

/** Every reason for which Mote refuses or ends something; the list is closed. */
export type SandboxErrorCode =
  | "INVALID_OPTION"
  | "UNSUPPORTED"
  | "BACKEND_UNAVAILABLE"
  | "GUEST_NOT_FOUND"
  | "GUEST_INVALID"
  | "GUEST_BUILD_FAILED"
  | "TOOLCHAIN_MISSING"
  | "POLICY_VIOLATION"
  | "TIMED_OUT"
  | "MEMORY_EXCEEDED"
  | "OUTPUT_EXCEEDED"
  | "DISK_EXCEEDED"
  | "GUEST_CRASHED"
  | "INSTALL_FAILED"
  | "FILE_NOT_FOUND"
  | "PATH_REFUSED"
  | "TOOL_FAILED"
  | "SESSION_CLOSED"
  | "ABORTED"
  | "INTERNAL";

/** What kind of rule found something. */
export type PolicyRuleName =
  | "restricted-module"
  | "module-not-allowed"
  | "restricted-call"
  | "pattern"
  | "dynamic"
  | "parse-error"
  | "limit";

/** One thing that a policy found in the code. */
export interface Violation {
  /** The kind of rule that found it. */
  rule: PolicyRuleName;
  /** What the rule is about: the module, the function, the pattern. */
  name: string;
  /** What it means, for people. */
  message: string;
  /** How bad it is. */
  severity: "safe" | "low" | "medium" | "high";
  /** Whether it is bad enough to keep the code from running. */
  blocks: boolean;
  /** Line in the code, counted from 1; absent for what is no code, such as a package. */
  line?: number;
  /** Column in the line, counted from 1 in UTF-16 code units. */
  column?: number;
  /** The line, cut to 120 characters. */
  excerpt?: string;
  /** What to do about it. */
  hint: string;
}

/** What a {@linkcode SandboxError} can carry beside code and message. */
export interface SandboxErrorDetails {
  /** The error that led to this one, for example what a tool threw. */
  cause?: unknown;
  /** What came out of the run until it was ended. */
  result?: RunResult;
  /** What the policy found. */
  violations?: readonly Violation[];
}

/**
 * The one class of error that Mote throws. Code that fails inside the guest is
 * not one: it is a {@linkcode RunResult} with an exit code and a traceback.
 *
 * @example
 * ```ts
 * import { createSession, SandboxError } from "@mote/sandbox";
 *
 * const session = await createSession({ timeoutMs: 200 });
 * try {
 *   await session.run("while True: pass");
 * } catch (error) {
 *   if (error instanceof SandboxError) console.log(error.code); // TIMED_OUT
 * } finally {
 *   await session.close();
 * }
 * ```
 */
export class SandboxError extends Error {
  /** Always `"SandboxError"`. */
  override readonly name = "SandboxError";
  /** Which of the closed list it is. */
  readonly code: SandboxErrorCode;
  /** What came out of the run until it was ended, where there was a run. */
  readonly result?: RunResult;
  /** What the policy found, with code `POLICY_VIOLATION`. */
  readonly violations?: readonly Violation[];

  /** Makes an error; `message` reads "Cannot <action>: <state>. <cure>". */
  constructor(
    code: SandboxErrorCode,
    message: string,
    details: SandboxErrorDetails = {},
  ) {
    super(message, "cause" in details ? { cause: details.cause } : undefined);
    this.code = code;
    if (details.result) this.result = details.result;
    if (details.violations) this.violations = details.violations;
  }
}

const _codes: Record<SandboxErrorCode, true> = {
  INVALID_OPTION: true,
  UNSUPPORTED: true,
  BACKEND_UNAVAILABLE: true,
  GUEST_NOT_FOUND: true,
  GUEST_INVALID: true,
  GUEST_BUILD_FAILED: true,
  TOOLCHAIN_MISSING: true,
  POLICY_VIOLATION: true,
  TIMED_OUT: true,
  MEMORY_EXCEEDED: true,
  OUTPUT_EXCEEDED: true,
  DISK_EXCEEDED: true,
  GUEST_CRASHED: true,
  INSTALL_FAILED: true,
  FILE_NOT_FOUND: true,
  PATH_REFUSED: true,
  TOOL_FAILED: true,
  SESSION_CLOSED: true,
  ABORTED: true,
  INTERNAL: true,
};

/** A code as it came from elsewhere; one that is not on the list is `INTERNAL`. */
export function errorCode(value: unknown): SandboxErrorCode {
  return typeof value === "string" && Object.hasOwn(_codes, value)
    ? value as SandboxErrorCode
    : "INTERNAL";
}

/** Whether `error` is a {@linkcode SandboxError}, with that code if one is given. */
export function isSandboxError(
  error: unknown,
  code?: SandboxErrorCode,
): error is SandboxError {
  return error instanceof SandboxError &&
    (code === undefined || error.code === code);
}
