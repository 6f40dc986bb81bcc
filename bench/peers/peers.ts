import { bubblewrap, engineCommand, hostProcess, runc } from "./commands.ts";
import { hyperlightSandbox } from "./hyperlight_sandbox.ts";
import { mote } from "./mote.ts";
import { monty } from "./monty.ts";
import { pyodide, quickjsEmscripten, sebastianwessel } from "./packages.ts";
import type { Lang, Peer } from "./peer.ts";

const walls = ["wasm", "hyperlight", "docker", "podman", "kubernetes"] as const;
const languages: readonly Lang[] = ["python", "javascript"];

/** Everything that runs code, Mote's own walls first. */
export const peers: readonly Peer[] = languages.flatMap((lang) => [
  ...walls.map((wall) => mote(wall, lang)),
  hostProcess(lang),
  bubblewrap(lang),
  runc(lang),
  engineCommand("docker", lang),
  engineCommand("podman", lang),
  ...[pyodide, monty, hyperlightSandbox, quickjsEmscripten, sebastianwessel]
    .filter((peer) => peer.lang === lang),
]);
