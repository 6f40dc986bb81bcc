import { readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import type { KubeConfig } from "@kubernetes/client-node";
import { SandboxError } from "../../../errors.ts";

// Not named in the import itself, so that Deno does not download it for those who use another backend.
const _library = "@kubernetes/client-node";
const _token = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/** Where the way to the cluster is written down, and what tells that it was changed. */
export interface Found {
  /** For people. */
  readonly where: string;
  /** Another text when something else has to be loaded. */
  readonly state: string;
}

function _stamp(path: string): string | undefined {
  try {
    const { mtimeMs, size } = statSync(path);
    return `${path}:${mtimeMs}:${size}`;
  } catch {
    return undefined;
  }
}

/** The kubeconfig, in the order in which kubectl looks for it; undefined when there is none. */
export function findConfig(): Found | undefined {
  const named = process.env.KUBECONFIG;
  if (named) {
    const files = named.split(delimiter).filter((one) => one !== "");
    const state = files.map((one) => _stamp(one) ?? one).join("|");
    return { where: `KUBECONFIG=${named}`, state };
  }
  const usual = join(homedir(), ".kube", "config");
  const state = _stamp(usual);
  if (state !== undefined) return { where: usual, state };
  if (_stamp(_token) !== undefined) {
    return { where: "the service account of this pod", state: _token };
  }
  return undefined;
}

/** A cluster that cannot be used. */
export function unavailable(
  state: string,
  cure: string,
  cause?: unknown,
): SandboxError {
  return new SandboxError(
    "BACKEND_UNAVAILABLE",
    `Cannot use kubernetes: ${state}. ${cure}`,
    cause === undefined ? {} : { cause },
  );
}

/** The error for a machine that knows no cluster. */
export function noConfig(): SandboxError {
  return unavailable(
    "KUBECONFIG is not set, there is no ~/.kube/config, and this is no pod with a service account",
    "Set KUBECONFIG to a kubeconfig file.",
  );
}

/** Reads the kubeconfig; throws BACKEND_UNAVAILABLE when it says nothing usable. */
export async function loadConfig(found: Found): Promise<KubeConfig> {
  // One of its dependencies asks for punycode, of which Deno would warn the user.
  const { noDeprecation } = process;
  process.noDeprecation = true;
  let library: typeof import("@kubernetes/client-node");
  try {
    library = await import(_library);
  } finally {
    process.noDeprecation = noDeprecation === true;
  }
  const config = new library.KubeConfig();
  try {
    config.loadFromDefault();
  } catch (error) {
    const { message } = error as Error;
    const state = `${found.where} cannot be read (${message.split("\n")[0]})`;
    throw unavailable(state, "Correct the file, or set KUBECONFIG.", error);
  }
  const cluster = config.getCurrentCluster();
  if (!cluster?.server) {
    const context = config.getCurrentContext();
    const state = context
      ? `${found.where} has no cluster for its current context ${context}`
      : `${found.where} has no current context`;
    throw unavailable(state, "Choose one: kubectl config use-context NAME.");
  }
  return config;
}

/** The namespace that the kubeconfig's context names, or that of this pod. */
export function namespaceOf(config: KubeConfig): string {
  const context = config.getContextObject(config.getCurrentContext());
  if (context?.namespace) return context.namespace;
  try {
    const file = _token.replace(/token$/, "namespace");
    return readFileSync(file, "utf8").trim() || "default";
  } catch {
    return "default";
  }
}
