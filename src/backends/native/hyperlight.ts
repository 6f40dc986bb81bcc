import type { Backend, Capabilities } from "../backend.ts";
import { openEngine, probeEngine } from "./connection.ts";

const _capabilities: Capabilities = Object.freeze<Capabilities>({
  languages: ["python", "javascript", "wasm"],
  interactive: ["python", "javascript"],
  install: ["python"],
  tools: ["python", "javascript"],
  cpuLimit: true,
  network: false,
  nativeLibraries: false,
  processes: false,
});

/** Micro-VMs. */
export const hyperlightBackend: Backend = {
  name: "hyperlight",
  capabilities: _capabilities,
  guests: "machines",
  probe: () => probeEngine("hyperlight"),
  open: (spec) => openEngine("hyperlight", spec),
};
