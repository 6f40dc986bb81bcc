import { SandboxError, type SandboxErrorCode } from "../../../errors.ts";

const _there = "See listFiles() for what is there";
const _inside = "Give a path in /sandbox that no link leads out of";
const _room = "Raise limits.workspaceMb or limits.workspaceFiles";

/** What Linux's numbers of errors mean for the user. */
const _faults: Readonly<
  Record<number, readonly [SandboxErrorCode, state: string, cure: string]>
> = {
  1: ["PATH_REFUSED", "it is no file, directory or link", "Name another path"],
  2: ["FILE_NOT_FOUND", "it is not there", _there],
  13: ["PATH_REFUSED", "its permissions forbid it", "Change them in the code"],
  17: ["PATH_REFUSED", "something is there already", "Remove it first"],
  18: ["PATH_REFUSED", "a link leads out of the workspace", _inside],
  20: ["FILE_NOT_FOUND", "a part of its path is no directory", _there],
  21: ["PATH_REFUSED", "it is a directory", "Name a file"],
  22: ["PATH_REFUSED", "it has no name", "Name something in the workspace"],
  26: ["PATH_REFUSED", "it is a program that runs", "Wait until it has ended"],
  27: ["DISK_EXCEEDED", "the file gets too large", _room],
  28: ["DISK_EXCEEDED", "the workspace is full", _room],
  30: ["PATH_REFUSED", "it cannot be written to", "Name another path"],
  36: ["PATH_REFUSED", "a name or the path is too long", "Shorten it"],
  39: ["PATH_REFUSED", "a directory is not empty", "Remove what is in it"],
  40: ["PATH_REFUSED", "links lead in a circle, or away", _inside],
  122: ["DISK_EXCEEDED", "the workspace is full", _room],
};

/** The error for a request that the agent refused with one of Linux's numbers. */
export function fileFault(errno: number, action: string): SandboxError {
  const [code, state, cure] = _faults[errno] ?? [
    "GUEST_CRASHED",
    `the container's system refused it with error ${errno}`,
    "Run again; if that does not help, open another session",
  ];
  return new SandboxError(code, `Cannot ${action}: ${state}. ${cure}.`);
}
