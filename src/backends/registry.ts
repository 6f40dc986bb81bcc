import type { BackendName } from "../options.ts";
import type { Backend } from "./backend.ts";

/** A backend of this version, or why there is none. */
export type Entry =
  | { readonly load: () => Promise<Backend> }
  | { readonly absent: string };

let _wasm: Promise<Backend> | undefined;
let _hyperlight: Promise<Backend> | undefined;
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
  docker: { absent: "docker is not part of this version of Mote" },
  podman: { absent: "podman is not part of this version of Mote" },
  kubernetes: { load: () => _kubernetes ??= _pods() },
};

async function _pods(): Promise<Backend> {
  const [{ containerBackend }, { kubernetesEngine }] = await Promise.all([
    import("./container/backend.ts"),
    import("./container/kubernetes/engine.ts"),
  ]);
  return containerBackend(kubernetesEngine, {
    all: ["python", "javascript"],
    driven: ["python", "javascript"],
    install: [],
  });
}

/** The backends that this version can open. */
export const present: readonly BackendName[] =
  (Object.keys(registry) as BackendName[]).filter((name) =>
    "load" in registry[name]
  );
