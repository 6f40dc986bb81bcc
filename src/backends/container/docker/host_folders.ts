import { realpathSync, statSync } from "node:fs";
import { resolve, sep } from "node:path";
import { invalid } from "../../../check.ts";
import type { BoxRights } from "../box.ts";
import type { Endpoint } from "./endpoint.ts";

/** Refuses folders that are not there, and those through which code could command the engine, which is root on its host. */
export function checkHostFolders({ at }: Endpoint, rights: BoxRights): void {
  // What another host has can only its engine say.
  if (!("socketPath" in at)) return;
  const socket = _real(at.socketPath);
  for (
    const [right, folders] of [["read", rights.read], [
      "write",
      rights.write,
    ]] as const
  ) {
    for (const [target, source] of Object.entries(folders)) {
      const name = `rights.${right}[${JSON.stringify(target)}]`;
      const path = _real(resolve(source));
      if (!statSync(path, { throwIfNoEntry: false })) {
        throw invalid(name, `there is no ${source}`, "Name what is there.");
      }
      const below = path.endsWith(sep) ? path : path + sep;
      if (socket === path || socket.startsWith(below)) {
        throw invalid(
          name,
          `the engine's own socket ${at.socketPath} is in it, and who reaches that is root on the host`,
          "Name a folder further down.",
        );
      }
    }
  }
}

function _real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
