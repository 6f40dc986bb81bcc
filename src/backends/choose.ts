import { SandboxError } from "../errors.ts";
import type { BackendChoice, BackendName } from "../options.ts";
import type { Backend, BackendStatus } from "./backend.ts";
import { present, registry } from "./registry.ts";

/** A backend, and why it was taken. */
export interface Choice {
  /** The backend. */
  readonly backend: Backend;
  /** Why this one. */
  readonly reason: string;
}

/** The backend that was asked for, or the strongest wall that this machine has. */
export async function chooseBackend(asked: BackendChoice): Promise<Choice> {
  if (asked === "auto") return await _strongest();
  const entry = registry[asked];
  if ("absent" in entry) {
    throw new SandboxError(
      "BACKEND_UNAVAILABLE",
      `Cannot open a session: ${entry.absent}. Use backend ${
        present.join(" or ")
      }.`,
    );
  }
  return { backend: await entry.load(), reason: `${asked} was asked for` };
}

let _auto: Promise<Choice> | undefined;

/** A hypervisor where the probe has proven a real one, else WebAssembly. A machine does not change its answer. */
function _strongest(): Promise<Choice> {
  return _auto ??= (async () => {
    const machines = await _load("hyperlight");
    const { available, reason } = await machines.probe();
    return available
      ? { backend: machines, reason: `auto: ${reason}` }
      : { backend: await _load("wasm"), reason: `auto: ${reason}` };
  })();
}

async function _load(name: "wasm" | "hyperlight"): Promise<Backend> {
  const entry = registry[name];
  if ("absent" in entry) throw new TypeError(entry.absent);
  return await entry.load();
}

/** Asks every backend whether it can be used on this machine. */
export async function probeAll(): Promise<Record<BackendName, BackendStatus>> {
  const names = Object.keys(registry) as BackendName[];
  const found = await Promise.all(names.map(async (name) => {
    const entry = registry[name];
    const status: BackendStatus = "absent" in entry
      ? { available: false, reason: entry.absent }
      : await (await entry.load()).probe();
    return [name, status] as const;
  }));
  return Object.fromEntries(found) as Record<BackendName, BackendStatus>;
}
