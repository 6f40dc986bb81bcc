import {
  anything,
  boolean,
  type Check,
  integer,
  invalid,
  list,
  object,
  oneOf,
  record,
  string,
} from "../../../check.ts";
import type { BoxRights } from "../box.ts";
import { checkAnnotations, checkLabels, checkLimits } from "./configs.ts";
import {
  containerSecurity,
  only,
  podSecurity,
  refused,
  type SecurityFields,
} from "./security.ts";

/** A container of `podManifest`, as far as Mote looks into it. */
export interface ContainerFields {
  /** Its name. */
  name?: string;
  /** Its image. */
  image?: string;
  /** Its environment. */
  env?: { name: string }[];
  /** What of the node it has. */
  resources?: {
    requests?: Record<string, unknown>;
    limits?: Record<string, unknown>;
  };
  /** Where it has volumes. */
  volumeMounts?: { mountPath: string }[];
  /** What it may do. */
  securityContext?: SecurityFields;
  [field: string]: unknown;
}

/** What `podManifest` says, checked. */
export interface Manifest {
  /** Its metadata. */
  readonly metadata: {
    name?: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  /** Its spec without the containers. */
  readonly spec: {
    securityContext?: SecurityFields;
    volumes?: { name: string }[];
    hostUsers?: false;
    activeDeadlineSeconds?: number;
    [field: string]: unknown;
  };
  /** The container that code runs in: the first. */
  readonly main: ContainerFields;
  /** The others, which run beside it. */
  readonly beside: readonly ContainerFields[];
  /** Those that run before. */
  readonly before: readonly ContainerFields[];
}

const _text = string();
const _list = list(anything, 100);
const _words = record(_text, _text);

/** Kinds of volumes that hold nothing of the node's. */
const _volumeKinds = [
  "emptyDir",
  "configMap",
  "secret",
  "downwardAPI",
  "persistentVolumeClaim",
  "ephemeral",
  "image",
];

const _projected = object<{ sources: unknown; defaultMode: unknown }>({
  defaultMode: anything,
  sources: list(
    object<Record<string, unknown>>({
      configMap: anything,
      secret: anything,
      downwardAPI: anything,
      serviceAccountToken: refused("code could call the cluster's API with it"),
    } as never),
    100,
  ),
});

const _volume = object<{ name: string }>({
  ...Object.fromEntries(_volumeKinds.map((kind) => [kind, anything])),
  projected: _projected,
  hostPath: refused("code would reach files of the node"),
  name: string((value) =>
    value.startsWith("mote-")
      ? "names that begin with mote- are Mote's own"
      : undefined
  ),
} as never);

const _mount = object<{ mountPath: string }>({
  name: _text,
  mountPath: _text,
  subPath: _text,
  subPathExpr: _text,
  readOnly: boolean,
  recursiveReadOnly: _text,
  mountPropagation: only(
    "None",
    "mounts would reach the node, or come from it",
  ),
} as never);

const _port = object<Record<string, unknown>>({
  name: anything,
  containerPort: anything,
  protocol: anything,
  hostPort: refused("the node's own port would be taken"),
  hostIP: refused("the node's own address would be taken"),
} as never);

const _resources: Check<ContainerFields["resources"]> = object({
  requests: record(_text, anything),
  limits: record(_text, anything),
}) as never;

function _container(rights: BoxRights, main: boolean): Check<ContainerFields> {
  const agents = refused(
    "the main process is Mote's own",
    "Leave it out; programs for the code belong into the image.",
  );
  const free = main ? agents : anything;
  return object<ContainerFields>({
    name: _text,
    image: _text,
    imagePullPolicy: oneOf(["Always", "IfNotPresent", "Never"]),
    env: list(
      object<{ name: string }>({
        name: _text,
        value: _text,
        valueFrom: anything,
      } as never),
      1_000,
    ),
    envFrom: _list,
    resources: main
      ? (value: unknown, name: string) => {
        const resources = _resources(value, name);
        checkLimits(resources?.limits, `${name}.limits`);
        return resources;
      }
      : _resources,
    volumeMounts: list(_mount, 100),
    volumeDevices: refused("code would reach devices"),
    securityContext: containerSecurity(rights),
    ports: list(_port, 100),
    workingDir: main ? refused("it is the session's", "Use workdir.") : _text,
    command: free,
    args: free,
    stdin: free,
    stdinOnce: free,
    tty: free,
    lifecycle: free,
    livenessProbe: free,
    readinessProbe: free,
    startupProbe: free,
    restartPolicy: free,
    terminationMessagePath: free,
    terminationMessagePolicy: free,
  } as never);
}

function _spec(rights: BoxRights): Check<Record<string, unknown>> {
  const network = rights.network ? anything : refused(
    "without the network there are no names to look up",
    "Give rights.net, or leave it out.",
  );
  return object<Record<string, unknown>>({
    nodeName: _text,
    nodeSelector: _words,
    tolerations: _list,
    affinity: anything,
    topologySpreadConstraints: _list,
    runtimeClassName: _text,
    imagePullSecrets: _list,
    serviceAccountName: _text,
    serviceAccount: _text,
    priorityClassName: _text,
    priority: anything,
    preemptionPolicy: _text,
    schedulerName: _text,
    hostname: _text,
    subdomain: _text,
    setHostnameAsFQDN: boolean,
    hostAliases: _list,
    os: object<{ name: string }>({ name: oneOf(["linux"]) }),
    dnsPolicy: network,
    dnsConfig: network,
    volumes: list(_volume, 100),
    securityContext: podSecurity(rights),
    containers: list(anything, 20),
    initContainers: list(_container(rights, false), 20),
    activeDeadlineSeconds: integer(60, 2_592_000, "seconds"),
    restartPolicy: only("Never", "a pod of Mote runs once"),
    terminationGracePeriodSeconds: anything,
    automountServiceAccountToken: only(
      false,
      "code could call the cluster's API",
    ),
    enableServiceLinks: only(false, "code would learn of the services around"),
    hostUsers: only(
      false,
      "it is true, which is what a cluster does by itself",
    ),
    hostNetwork: only(false, "code would have the node's network"),
    hostPID: only(false, "code would see the node's processes"),
    hostIPC: only(false, "code would reach the node's shared memory"),
    shareProcessNamespace: only(
      false,
      "Mote's main process has to be the first",
    ),
  } as never);
}

const _metadata = object<Manifest["metadata"]>({
  name: string((value) =>
    /^[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?$/.test(value)
      ? undefined
      : "it is no name of at most 42 small letters, digits and -"
  ),
  namespace: _text,
  labels: _words,
  annotations: _words,
});

const _pod = object<{
  apiVersion: string;
  kind: string;
  metadata: Manifest["metadata"];
  spec: Record<string, unknown>;
}>({
  apiVersion: oneOf(["v1"]),
  kind: oneOf(["Pod"]),
  metadata: _metadata,
  spec: anything as Check<Record<string, unknown>>,
});

/** Checks `podManifest`: what would weaken the wall is refused, unless its right was given. */
export function checkManifest(value: unknown, rights: BoxRights): Manifest {
  const name = "podManifest";
  const pod = _pod(value ?? {}, name);
  const { metadata = {}, spec = {} } = pod;
  checkLabels(metadata.labels, `${name}.metadata.labels`);
  checkAnnotations(metadata.annotations, `${name}.metadata.annotations`);
  const checked = _spec(rights)(spec, `${name}.spec`);
  const { containers = [], initContainers = [], ...rest } = checked as {
    containers?: unknown[];
    initContainers?: ContainerFields[];
  };
  const [main = {}, ...beside] = containers.map((one, index) =>
    _container(rights, index === 0)(one, `${name}.spec.containers[${index}]`)
  );
  for (const { name: volume } of (rest as Manifest["spec"]).volumes ?? []) {
    if (volume === undefined) {
      const cure = "Give every volume a name.";
      throw invalid(`${name}.spec.volumes`, "a name is missing", cure);
    }
  }
  return { metadata, spec: rest, main, beside, before: initContainers };
}
