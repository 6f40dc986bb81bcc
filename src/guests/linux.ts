import type { GuestImage, GuestSpec } from "../backends/backend.ts";
import type { Host } from "../host.ts";
import type { ParsedOptions } from "../options.ts";
import { plainHosts } from "../rights.ts";
import { findGuest } from "./find.ts";

/** What a micro-VM boots for a session of the linux guest. `site`: the list of files of its libraries. */
export function linuxGuest(
  options: ParsedOptions,
  host: Host,
  site?: GuestImage,
): GuestSpec {
  const { preload, rights } = options;
  const folders = Object.entries(rights?.read ?? {});
  return {
    kind: "linux",
    image: findGuest("linux", host),
    preload: preload ?? [],
    ...(site && { site }),
    net: plainHosts(rights),
    mounts: Object.fromEntries(
      folders.map(([place, folder]) => [place, _absolute(folder, host)]),
    ),
  };
}

function _absolute(folder: string, host: Host): string {
  return /^(\/|\\|[A-Za-z]:)/.test(folder) ? folder : `${host.cwd()}/${folder}`;
}
