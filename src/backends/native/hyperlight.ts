import { wantsLinux } from "../../linux_guest.ts";
import type { Backend, Capabilities } from "../backend.ts";
import { openEngine, probeEngine } from "./connection.ts";

const _capabilities: Capabilities = Object.freeze<Capabilities>({
  languages: ["python", "javascript", "wasm"],
  interactive: ["python", "javascript"],
  install: ["python"],
  tools: ["python", "javascript"],
  http: ["python", "javascript"],
  cpuLimit: true,
  fileLimit: true,
  network: false,
  nativeLibraries: false,
  processes: false,
});

/** A guest of the user's takes code as it is, whatever its language, and has everything linked in. */
const _ownGuest: Capabilities = Object.freeze<Capabilities>({
  ..._capabilities,
  interactive: _capabilities.languages,
  install: [],
  tools: _capabilities.languages,
  http: [],
});

const _linux: Capabilities = Object.freeze<Capabilities>({
  languages: ["python"],
  interactive: ["python"],
  install: ["python"],
  tools: ["python"],
  http: ["python"],
  cpuLimit: true,
  fileLimit: true,
  network: true,
  nativeLibraries: true,
  processes: false,
});

/** Micro-VMs. */
export const hyperlightBackend: Backend = {
  name: "hyperlight",
  capabilities: _capabilities,
  capabilitiesFor(options) {
    if (options.guestBinaryPath !== undefined) return _ownGuest;
    return wantsLinux(options) ? _linux : _capabilities;
  },
  guests: "machines",
  resets: () => true,
  probe: () => probeEngine("hyperlight"),
  open: (spec) => openEngine("hyperlight", spec),
};
