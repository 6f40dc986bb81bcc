import { SandboxError, type SandboxErrorCode } from "./errors.ts";

const _codes: Readonly<Record<string, SandboxErrorCode>> = {
  ENOENT: "FILE_NOT_FOUND",
  ENOTDIR: "FILE_NOT_FOUND",
  EACCES: "PATH_REFUSED",
  EPERM: "PATH_REFUSED",
  ELOOP: "PATH_REFUSED",
  EISDIR: "PATH_REFUSED",
  EEXIST: "PATH_REFUSED",
  ENOTEMPTY: "PATH_REFUSED",
  EROFS: "PATH_REFUSED",
  ENAMETOOLONG: "PATH_REFUSED",
  ENOSPC: "DISK_EXCEEDED",
  EDQUOT: "DISK_EXCEEDED",
};

/** What an error of the host's file system means for the user. */
export function hostError(error: unknown, action: string): unknown {
  if (error instanceof SandboxError) return error;
  const { code, message } = error as { code?: string; message?: string };
  if (code === undefined) return error;
  return new SandboxError(
    _codes[code] ?? "INTERNAL",
    `Cannot ${action}: the host says ${message}. Check the path and its permissions.`,
    { cause: error },
  );
}

/** Ends a long call whose signal was aborted. */
export function throwIfAborted(
  signal: AbortSignal | undefined,
  action: string,
): void {
  if (!signal?.aborted) return;
  throw new SandboxError(
    "ABORTED",
    `Cannot ${action}: the caller aborted it. Call again to start anew.`,
    { cause: signal.reason },
  );
}

/** Bytes that are read or written at a time. */
export const chunkBytes = 262_144;
