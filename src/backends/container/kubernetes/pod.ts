import type { V1Pod } from "@kubernetes/client-node";
import { invalid } from "../../../check.ts";
import type { BoxSpec } from "../box.ts";
import { checkConfigs, type PodConfigs } from "./configs.ts";
import {
  checkManifest,
  type ContainerFields,
  type Manifest,
} from "./manifest.ts";
import { hardened, type SecurityFields, userOf } from "./security.ts";

/** Labels that Mote's pods are found by. */
export const labels = {
  /** All of them. */
  managed: { "app.kubernetes.io/managed-by": "mote" },
  /** Those without the network, which a NetworkPolicy selects. */
  noNetwork: { "mote.sandbox/network": "none" },
} as const;

/** Where a pod says who it belongs to. */
export const ownerAnnotation = "mote.sandbox/owner";
/** Where a pod says which container is Mote's. */
export const containerAnnotation = "mote.sandbox/container";

const _daySeconds = 86_400;

/** A pod to make, without its name. */
export interface PodPlan {
  /** Where it goes; undefined is the context's namespace. */
  readonly namespace: string | undefined;
  /** What its name begins with. */
  readonly prefix: string;
  /** The container that code runs in. */
  readonly container: string;
  /** How long starting may take, in ms. */
  readonly startMs: number;
  /** The manifest under a name. */
  manifest(name: string, owner: string): V1Pod;
}

/** Checks what was asked for and says what pod that is; throws INVALID_OPTION. */
export function planPod(spec: BoxSpec): PodPlan {
  const { rights } = spec;
  if (rights.capabilities.length > 0 && !rights.root) {
    throw invalid(
      "rights.capabilities",
      "in kubernetes only root keeps capabilities",
      "Give rights.root as well, or leave them out.",
    );
  }
  if (rights.newPrivileges && !rights.network) {
    throw invalid(
      "rights.newPrivileges",
      "in kubernetes the network cannot be kept from programs that gain privileges",
      "Give rights.net: true as well, or leave it out.",
    );
  }
  const configs = checkConfigs(spec.runtimeConfigs);
  const manifest = checkManifest(spec.podManifest, rights);
  const { metadata, main } = manifest;
  if (
    spec.kubeNamespace !== undefined && metadata.namespace !== undefined &&
    spec.kubeNamespace !== metadata.namespace
  ) {
    throw invalid(
      "kubeNamespace",
      `podManifest says ${metadata.namespace}`,
      "Give one of them.",
    );
  }
  const own = new Set(spec.folders.map(({ path }) => path));
  for (const { mountPath } of main.volumeMounts ?? []) {
    if (own.has(mountPath.replace(/\/+$/, ""))) {
      throw invalid(
        "podManifest.spec.containers[0].volumeMounts",
        `${mountPath} is Mote's own`,
        "Mount it elsewhere.",
      );
    }
  }
  const container = main.name ?? "mote";
  const body = _bodyOf(spec, configs, manifest, container);
  return {
    namespace: spec.kubeNamespace ?? metadata.namespace,
    prefix: metadata.name ?? "mote",
    container,
    startMs: (configs.startTimeoutSeconds ?? 300) * 1000,
    manifest: (name, owner) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name,
        labels: {
          ...metadata.labels,
          ...configs.labels,
          ...labels.managed,
          ...(rights.network
            ? { "mote.sandbox/network": "open" }
            : labels.noNetwork),
          "mote.sandbox/purpose": spec.purpose,
        },
        annotations: {
          ...metadata.annotations,
          ...configs.annotations,
          [ownerAnnotation]: owner,
          [containerAnnotation]: container,
        },
      },
      spec: body as unknown as NonNullable<V1Pod["spec"]>,
    }),
  };
}

function _bodyOf(
  spec: BoxSpec,
  configs: PodConfigs,
  manifest: Manifest,
  container: string,
): Record<string, unknown> {
  const { rights } = spec;
  const { main, beside, before } = manifest;
  const { volumes, securityContext, ...said } = manifest.spec;
  const hostUsers = configs.hostUsers ?? said.hostUsers;
  const user = securityContext?.runAsUser ?? main.securityContext?.runAsUser ??
    userOf(rights, hostUsers !== false);
  const {
    labels: _1,
    annotations: _2,
    resources: _3,
    startTimeoutSeconds: _4,
    imagePullPolicy: _5,
    ...placement
  } = configs;
  const safe = (one: ContainerFields) => ({
    ...one,
    securityContext: hardened(one.securityContext, rights),
  });
  return {
    ...(rights.network ? undefined : {
      // Whatever the cluster's network lets through, it has no names.
      dnsPolicy: "None",
      dnsConfig: { nameservers: ["127.0.0.1"] },
    }),
    activeDeadlineSeconds: _daySeconds,
    ...said,
    ...placement,
    restartPolicy: "Never",
    terminationGracePeriodSeconds: 0,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: _podContext(securityContext, user, rights.root),
    containers: [
      _mainOf(spec, configs, main, container),
      ...beside.map(safe),
    ],
    ...(before.length > 0 && { initContainers: before.map(safe) }),
    volumes: [
      ...volumes ?? [],
      ...spec.folders.map(({ sizeMb }, index) => ({
        name: `mote-${index}`,
        emptyDir: { medium: "Memory", sizeLimit: `${sizeMb}Mi` },
      })),
    ],
  };
}

function _podContext(
  said: SecurityFields | undefined,
  user: number,
  root: boolean,
): Record<string, unknown> {
  return {
    runAsNonRoot: !root,
    runAsUser: user,
    runAsGroup: user,
    seccompProfile: { type: "RuntimeDefault" },
    ...said,
  };
}

function _mainOf(
  spec: BoxSpec,
  configs: PodConfigs,
  main: ContainerFields,
  container: string,
): Record<string, unknown> {
  const { source, limits, folders, rights } = spec;
  const named = Object.entries(spec.env).map(([name, value]) => ({
    name,
    value: literal(value),
  }));
  const image = main.image ?? (source.kind === "image" ? source.image : "");
  const pull = configs.imagePullPolicy ?? main.imagePullPolicy ??
    "IfNotPresent";
  // A file that every user of a pod may write to lies on the node: /dev/termination-log. What is larger than every folder
  // is refused here, so that a folder is full before.
  const largest = Math.max(0, ...folders.map(({ sizeMb }) => sizeMb));
  const blocks = (largest + 1) * 2048;
  return {
    ...main,
    name: container,
    image,
    imagePullPolicy: pull,
    command: [
      "sh",
      "-c",
      'ulimit -f "$0"; exec "$@"',
      `${blocks}`,
      ...spec.command,
    ].map(literal),
    workingDir: spec.workdir,
    env: [
      ...(main.env ?? []).filter(({ name }) => !(name in spec.env)),
      ...named,
    ],
    stdin: true,
    stdinOnce: true,
    tty: false,
    resources: {
      requests: {
        // The limit holds a full workspace, which few have.
        memory: `${Math.ceil(limits.memoryMb / 2)}Mi`,
        cpu: `${Math.max(10, Math.ceil(limits.cpus * 100))}m`,
        // A node that does not count it has none to ask for.
        "ephemeral-storage": "0",
        ...main.resources?.requests,
        ...configs.resources?.requests,
      },
      limits: {
        ...main.resources?.limits,
        ...configs.resources?.limits,
        memory: `${limits.memoryMb}Mi`,
        cpu: `${Math.ceil(limits.cpus * 1000)}m`,
        // Of the node's disk a pod uses what its log takes, which the node keeps short.
        "ephemeral-storage": "2Gi",
      },
    },
    securityContext: hardened(main.securityContext, rights),
    volumeMounts: [
      ...main.volumeMounts ?? [],
      ...folders.map(({ path }, index) => ({
        name: `mote-${index}`,
        mountPath: path,
      })),
    ],
  };
}

/** A text in which Kubernetes would replace "$(NAME)" and "$$". */
export function literal(text: string): string {
  return text.replaceAll("$", "$$$$");
}

/** A name that no other pod has. */
export function podName(prefix: string): string {
  const bytes = crypto.getRandomValues(new Uint8Array(6));
  const hex = [...bytes].map((one) => one.toString(16).padStart(2, "0"));
  return `${prefix}-${hex.join("")}`;
}
