import { SandboxError } from "./errors.ts";
import type { ParsedOptions } from "./options.ts";
import { plainHosts } from "./rights.ts";

/** Whether a session's options ask for the linux guest, by its name or by what only it can do. */
export function wantsLinux(options: ParsedOptions): boolean {
  const { guest, lang, preload, rights } = options;
  const only = [
    preload?.length ? "preload" : "",
    Object.keys(rights?.read ?? {}).length ? "rights.read" : "",
  ].filter((name) => name !== "");
  if (guest === "micro" && only.length > 0) {
    throw new SandboxError(
      "UNSUPPORTED",
      `Cannot open a session: guest "micro" has no ${
        only.join(" and no ")
      }. Set guest: "linux".`,
    );
  }
  // A micro guest has no sockets, but sends requests through the host.
  const sockets = guest === undefined && lang === "python" &&
    plainHosts(rights).length > 0;
  return guest === "linux" || only.length > 0 || sockets;
}
