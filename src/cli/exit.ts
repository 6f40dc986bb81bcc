import { SandboxError } from "../errors.ts";

/**
 * What `mote` ends with: 0 all went well; 1 it did not, and stderr says why; 2 the command line is
 * wrong; 3 something is missing on this machine, and stderr says how to get it; 130 Ctrl-C, and
 * 143 SIGTERM, after everything was cleaned up.
 */
export const Exit = {
  ok: 0,
  failed: 1,
  usage: 2,
  missing: 3,
  interrupted: 130,
  terminated: 143,
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
