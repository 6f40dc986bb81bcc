import type { Backend, Capabilities } from "./backends/backend.ts";
import { present } from "./backends/registry.ts";
import { SandboxError } from "./errors.ts";
import { backendsOf, languages } from "./languages/languages.ts";
import { defaultWorkspaceFiles } from "./limits.ts";
import type { BackendName, ParsedOptions } from "./options.ts";
import { netRules, type Rights } from "./rights.ts";

const _engines = ["docker", "podman"] as const;
const _containers = [..._engines, "kubernetes"] as const;

/** Options that some backends only take, and which. */
const _only: {
  readonly [K in keyof ParsedOptions]?: readonly BackendName[];
} = {
  guestBinaryPath: ["hyperlight"],
  keepTemplate: ["hyperlight", ..._engines],
  buildTimeoutMs: ["hyperlight"],
  acceptEmulatedHypervisor: ["hyperlight"],
  guest: ["hyperlight"],
  preload: ["hyperlight"],
  image: _containers,
  dockerfile: _engines,
  containerId: _containers,
  commitContainer: _engines,
  runtimeConfigs: _containers,
  skipEnvironmentSetup: _containers,
  kubeNamespace: ["kubernetes"],
  podManifest: ["kubernetes"],
};

const _containerRights = [
  "write",
  "root",
  "writableRoot",
  "capabilities",
  "newPrivileges",
] as const;

/** Whether a right was given, and not just named. */
function _given(
  right: NonNullable<Rights[typeof _containerRights[number]]> | undefined,
): boolean {
  return typeof right === "object"
    ? Object.keys(right).length > 0
    : right === true;
}

/** Refuses what a backend cannot do, naming the backends that can. */
export function refuseUnsupported(
  backend: Backend,
  options: ParsedOptions,
): void {
  const { name } = backend;
  for (const option in options) {
    const backends = _only[option as keyof ParsedOptions];
    if (!backends || (backends as readonly string[]).includes(name)) continue;
    throw unsupported(`backend ${name} does not take ${option}`, backends);
  }
  const { lang, workdir, rights, limits, interactive, tools } = options;
  const can: Capabilities = backend.capabilitiesFor?.(options) ??
    backend.capabilities;
  const all = (["hyperlight", ..._containers] as const).filter((one) =>
    one !== name
  );
  const contained = (_containers as readonly string[]).includes(name);
  if (!can.languages.includes(lang)) {
    const others = languages[lang]
      ? backendsOf(languages[lang]).filter((one) => one !== name)
      : all;
    throw unsupported(`backend ${name} does not run ${lang}`, others);
  }
  if (
    !contained && workdir !== undefined &&
    workdir.replace(/\/+$/, "") !== "/sandbox"
  ) {
    throw unsupported(
      `backend ${name} has no workdir but /sandbox`,
      _containers,
    );
  }
  if (rights?.net === true && !contained) {
    const state = `backend ${name} has no network without a filter`;
    throw unsupported(state, _containers);
  }
  if (netRules(rights).length && !can.network && !can.http.includes(lang)) {
    throw unsupported(`${lang} code has no network in backend ${name}`, all);
  }
  if (Object.keys(options.secrets ?? {}).length && !can.http.includes(lang)) {
    const state = `${lang} code in backend ${name} cannot use secrets`;
    throw unsupported(state, all);
  }
  for (const right of _containerRights) {
    if (contained || !rights || !_given(rights[right])) continue;
    throw unsupported(`backend ${name} has no rights.${right}`, _containers);
  }
  if (limits.cpus !== null && !contained) {
    throw unsupported(`backend ${name} counts no processors`, _containers);
  }
  if (Object.keys(rights?.read ?? {}).length > 0 && !can.nativeLibraries) {
    throw unsupported(`backend ${name} shows no folders of the host`, [
      "hyperlight",
    ]);
  }
  if (interactive && !can.interactive.includes(lang)) {
    throw unsupported(`${lang} has no interactive sessions`, []);
  }
  if (tools && Object.keys(tools).length > 0 && !can.tools.includes(lang)) {
    throw unsupported(`${lang} code cannot call tools`, []);
  }
  if (limits.workspaceFiles !== defaultWorkspaceFiles && !can.fileLimit) {
    throw unsupported(`backend ${name} does not count files`, [
      "wasm",
      "hyperlight",
      ..._engines,
    ]);
  }
  if (limits.cpuMs !== null && !can.cpuLimit) {
    throw unsupported(`backend ${name} does not count CPU time`, ["wasm"]);
  }
}

/** The error for something that a backend cannot do. */
export function unsupported(
  state: string,
  backends: readonly BackendName[],
  action = "open a session",
): SandboxError {
  const cure = backends.length === 0
    ? "No backend of this version can"
    : `Backends that can: ${
      backends.map((one) =>
        `${one}${present.includes(one) ? "" : " (not part of this version)"}`
      ).join(", ")
    }`;
  return new SandboxError(
    "UNSUPPORTED",
    `Cannot ${action}: ${state}. ${cure}.`,
  );
}
