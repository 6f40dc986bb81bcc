import type { BackendName } from "../options.ts";
import type { Backend } from "./backend.ts";

/** A backend of this version, or why there is none. */
export type Entry =
  | { readonly load: () => Promise<Backend> }
  | { readonly absent: string };

let _wasm: Promise<Backend> | undefined;
let _hyperlight: Promise<Backend> | undefined;
let _docker: Promise<Backend> | undefined;
let _podman: Promise<Backend> | undefined;
let _kubernetes: Promise<Backend> | undefined;

/** Every backend, loaded when it is first needed. A new one is named here and nowhere else. */
export const registry: Readonly<Record<BackendName, Entry>> = {
  wasm: {
    load: () =>
      _wasm ??= import("./native/wasm.ts").then((one) => one.wasmBackend),
  },
  hyperlight: {
    load: () =>
      _hyperlight ??= import("./native/hyperlight.ts").then((one) =>
        one.hyperlightBackend
      ),
  },
  docker: { load: () => _docker ??= _engine("docker") },
  podman: { load: () => _podman ??= _engine("podman") },
  kubernetes: { load: () => _kubernetes ??= _pods() },
};

/** Docker, or Podman through the same API. */
async function _engine(name: "docker" | "podman"): Promise<Backend> {
  const [{ containerBackend, containerLanguages }, { DockerEngine }] =
    await Promise.all([
      import("./container/backend.ts"),
      import("./container/docker/engine.ts"),
    ]);
  return containerBackend(new DockerEngine(name), containerLanguages);
}

async function _pods(): Promise<Backend> {
  const [{ containerBackend, containerLanguages }, { kubernetesEngine }] =
    await Promise.all([
      import("./container/backend.ts"),
      import("./container/kubernetes/engine.ts"),
    ]);
  return containerBackend(kubernetesEngine, containerLanguages);
}

/** The backends that this version can open. */
export const present: readonly BackendName[] =
  (Object.keys(registry) as BackendName[]).filter((name) =>
    "load" in registry[name]
  );
