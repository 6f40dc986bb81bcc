import type { Backend, WasmCapabilities } from "../backend.ts";
import { connectEngines, openEngine, probeEngine } from "./connection.ts";

const _capabilities: WasmCapabilities = Object.freeze<WasmCapabilities>({
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

/** WebAssembly in this process. */
export const wasmBackend: Backend = {
  name: "wasm",
  capabilities: _capabilities,
  guests: "images",
  resets: () => true,
  probe: () => probeEngine("wasm"),
  prepare: connectEngines,
  open: (spec) => openEngine("wasm", spec),
};
