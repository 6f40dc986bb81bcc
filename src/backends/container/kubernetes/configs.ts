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

/** What `runtimeConfigs` may say of a pod, by Kubernetes' own names. */
export interface PodConfigs {
  /** The node, without a scheduler. */
  nodeName?: string;
  /** Labels that a node must have. */
  nodeSelector?: Record<string, string>;
  /** Taints of nodes that are no hindrance. */
  tolerations?: unknown[];
  /** Which nodes and neighbours it likes. */
  affinity?: unknown;
  /** How pods are spread. */
  topologySpreadConstraints?: unknown[];
  /** Which runtime, such as gVisor or Kata. */
  runtimeClassName?: string;
  /** Names of secrets with logins of registries. */
  imagePullSecrets?: unknown[];
  /** Whether the node asks the registry. @default "IfNotPresent" */
  imagePullPolicy?: "Always" | "IfNotPresent" | "Never";
  /** The service account; its token is never mounted. */
  serviceAccountName?: string;
  /** Which pods yield to which. */
  priorityClassName?: string;
  /** Who gives it a node. */
  schedulerName?: string;
  /** Labels beside Mote's. */
  labels?: Record<string, string>;
  /** Annotations beside Mote's. */
  annotations?: Record<string, string>;
  /** What a node keeps free for it, and limits of extended resources. */
  resources?: {
    requests?: Record<string, unknown>;
    limits?: Record<string, unknown>;
  };
  /** A user namespace of its own, where the nodes can. */
  hostUsers?: false;
  /** How long it lives at most, in s. @default 86_400; 60 to 2_592_000 */
  activeDeadlineSeconds?: number;
  /** How long starting may take, waiting for room included, in s. @default 300; 1 to 86_400 */
  startTimeoutSeconds?: number;
}

const _text = string();
const _words = record(_text, _text);
const _list = list(anything, 100);

const _resources = object<NonNullable<PodConfigs["resources"]>>({
  requests: record(_text, anything),
  limits: record(_text, anything),
});

const _own: Check<false> = (value, name) => {
  if (boolean(value, name) === false) return false;
  throw invalid(
    name,
    "it is true, which is what a cluster does by itself",
    "Give false, or leave it out.",
  );
};

const _check = object<PodConfigs>({
  nodeName: _text,
  nodeSelector: _words,
  tolerations: _list,
  affinity: anything,
  topologySpreadConstraints: _list,
  runtimeClassName: _text,
  imagePullSecrets: _list,
  imagePullPolicy: oneOf(["Always", "IfNotPresent", "Never"]),
  serviceAccountName: _text,
  priorityClassName: _text,
  schedulerName: _text,
  labels: _words,
  annotations: _words,
  resources: _resources,
  hostUsers: _own,
  activeDeadlineSeconds: integer(60, 2_592_000, "seconds"),
  startTimeoutSeconds: integer(1, 86_400, "seconds"),
});

/** Checks `runtimeConfigs`. */
export function checkConfigs(value: unknown): PodConfigs {
  const configs = _check(value, "runtimeConfigs");
  checkLabels(configs.labels, "runtimeConfigs.labels");
  checkAnnotations(configs.annotations, "runtimeConfigs.annotations");
  checkLimits(configs.resources?.limits, "runtimeConfigs.resources.limits");
  return configs;
}

/** Refuses labels that Mote finds its pods by. */
export function checkLabels(
  labels: Readonly<Record<string, unknown>> | undefined,
  name: string,
): void {
  for (const label of Object.keys(labels ?? {})) {
    if (
      label.startsWith("mote.sandbox/") ||
      label === "app.kubernetes.io/managed-by"
    ) {
      throw invalid(
        `${name}.${label}`,
        "it is a label of Mote's own",
        "Take another name.",
      );
    }
  }
}

/** Annotations by which a runtime or the kubelet would put the wall lower. */
const _weakening =
  /^(container\.)?(apparmor|seccomp)\.security\.|^dev\.gvisor\.|^io\.katacontainers\.|^io\.kubernetes\.cri-o\.|^mote\.sandbox\//;

/** Refuses annotations that change the wall. */
export function checkAnnotations(
  annotations: Readonly<Record<string, unknown>> | undefined,
  name: string,
): void {
  for (const annotation of Object.keys(annotations ?? {})) {
    if (_weakening.test(annotation)) {
      throw invalid(
        `${name}.${annotation}`,
        "it can change the wall around the code",
        "Leave it out.",
      );
    }
  }
}

/** Refuses limits that have an option of their own. */
export function checkLimits(
  limits: Readonly<Record<string, unknown>> | undefined,
  name: string,
): void {
  const own: Record<string, string> = {
    memory: "limits.memoryMb",
    cpu: "limits.cpus",
    "ephemeral-storage": "limits.workspaceMb, as all files are in memory",
  };
  for (const [resource, option] of Object.entries(own)) {
    if (limits && resource in limits) {
      throw invalid(
        `${name}.${resource}`,
        "the session's limits say it",
        `Use ${option}.`,
      );
    }
  }
}
