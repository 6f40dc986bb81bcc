import type { V1Pod } from "@kubernetes/client-node";
import { SandboxError } from "../../../errors.ts";
import type { BoxSpec } from "../box.ts";
import { connect, type PodChannel } from "./channel.ts";
import type { Cluster } from "./cluster.ts";
import { explain, isFailure } from "./failure.ts";
import { statusOf } from "./status.ts";
import { podsPath } from "./watch.ts";

/** A container of a pod. */
export interface Where {
  /** The pod's namespace. */
  readonly namespace: string;
  /** The pod. */
  readonly pod: string;
  /** The container. */
  readonly container: string;
}

type _Call = { signal?: AbortSignal | undefined; timeoutMs?: number };

/** Runs a program in a container; its exit code is in `status`. */
export function exec(
  cluster: Cluster,
  { namespace, pod, container }: Where,
  command: readonly string[],
  call: _Call = {},
): Promise<PodChannel> {
  return connect(cluster, `${podsPath(namespace, pod)}/exec`, [
    ["container", container],
    ["stdin", "true"],
    ["stdout", "true"],
    ["stderr", "true"],
    ...command.map((one) => ["command", one] as const),
  ], call);
}

/** Connects to the main process of a container. */
export function attach(
  cluster: Cluster,
  { namespace, pod, container }: Where,
  call: _Call = {},
): Promise<PodChannel> {
  return connect(cluster, `${podsPath(namespace, pod)}/attach`, [
    ["container", container],
    ["stdin", "true"],
    ["stdout", "true"],
    ["stderr", "true"],
  ], call);
}

/** The folders, the working directory and the environment of a main process, for one that an exec starts. */
const _prepare =
  'n=$1; shift; while [ "$n" -gt 0 ]; do mkdir -p -- "$1" || exit 126; shift; n=$((n-1)); done; cd -- "$0" && exec env -- "$@"';

/** Starts the main process in a pod that is there already. */
export async function execMain(
  cluster: Cluster,
  namespace: string,
  spec: BoxSpec & { source: { kind: "container" } },
): Promise<{ pod: V1Pod; where: Where; channel: PodChannel }> {
  const { id } = spec.source;
  const action = `attach to pod ${id}`;
  try {
    const pod = await cluster.call<V1Pod>(podsPath(namespace, id), {
      signal: spec.signal,
    });
    const container = pod.metadata?.annotations
      ?.["kubectl.kubernetes.io/default-container"] ??
      pod.spec!.containers[0]!.name;
    if (!statusOf(pod, container)?.state?.running) {
      throw new SandboxError(
        "GUEST_NOT_FOUND",
        `Cannot ${action}: its container ${container} does not run. Give a pod that does.`,
      );
    }
    const where = { namespace, pod: id, container };
    const channel = await exec(cluster, where, [
      "sh",
      "-c",
      _prepare,
      spec.workdir,
      `${spec.folders.length}`,
      ...spec.folders.map(({ path }) => path),
      ...Object.entries(spec.env).map(([name, value]) => `${name}=${value}`),
      ...spec.command,
    ], { signal: spec.signal });
    return { pod, where, channel };
  } catch (error) {
    if (isFailure(error, 404)) {
      throw new SandboxError(
        "GUEST_NOT_FOUND",
        `Cannot ${action}: namespace ${namespace} has no such pod. Give the name of one that runs as containerId, and its namespace as kubeNamespace.`,
        { cause: error },
      );
    }
    throw explain(error, action, namespace);
  }
}
