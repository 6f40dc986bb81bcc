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

/** The backend that was asked for, or the strongest wall that this version has. */
export async function chooseBackend(asked: BackendChoice): Promise<Choice> {
  const name: BackendName = asked === "auto" ? "wasm" : asked;
  const entry = registry[name];
  if ("absent" in entry) {
    throw new SandboxError(
      "BACKEND_UNAVAILABLE",
      `Cannot open a session: ${entry.absent}. Use backend ${
        present.join(" or ")
      }.`,
    );
  }
  return {
    backend: await entry.load(),
    reason: asked === "auto"
      ? "auto: hyperlight is not part of this version, so the guest runs in WebAssembly in this process"
      : `${name} was asked for`,
  };
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
