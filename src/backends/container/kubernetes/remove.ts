import type { V1Pod } from "@kubernetes/client-node";
import type { Cluster } from "./cluster.ts";
import { explain, isFailure } from "./failure.ts";
import { released } from "./queue.ts";
import { follow, podsPath } from "./watch.ts";

/** How long a node may take to end a pod's processes before the pod is removed without it, in ms. */
const _nodeMs = 15_000;

/** A pod that is no longer wanted. */
export interface Leaving {
  /** Where it is. */
  readonly namespace: string;
  /** Its name. */
  readonly name: string;
  /** Its identity: another pod of that name is left alone. */
  readonly uid?: string | undefined;
}

function _delete(
  cluster: Cluster,
  { namespace, name, uid }: Leaving,
  graceSeconds: number,
): Promise<V1Pod | undefined> {
  return cluster.call<V1Pod>(podsPath(namespace, name), {
    method: "DELETE",
    timeoutMs: 10_000,
    body: {
      apiVersion: "v1",
      kind: "DeleteOptions",
      gracePeriodSeconds: graceSeconds,
      ...(uid !== undefined && { preconditions: { uid } }),
    },
  }).catch((error) => {
    if (isFailure(error, 404) || isFailure(error, 409)) return undefined;
    throw error;
  });
}

/** Whether none of its processes runs: they have ended, or no node has begun with it. */
function _ended(pod: V1Pod): boolean {
  const { phase, startTime, containerStatuses = [] } = pod.status ?? {};
  return startTime === undefined || phase === "Succeeded" ||
    phase === "Failed" ||
    containerStatuses.length > 0 &&
      containerStatuses.every(({ state }) => state?.terminated);
}

/** Pods that could not be removed, as their API server did not answer. */
const _owed = new Map<string, () => Promise<void>>();

/**
 * Removes a pod and resolves when it is gone. What could not be removed is removed with the next one. A pod that is
 * deleted without grace is gone from the API before the node has ended its processes; so the node is given a second, and
 * the pod is taken away when it has reported their end.
 */
export async function removePod(
  cluster: Cluster,
  leaving: Leaving,
): Promise<void> {
  const key = `${cluster.server} ${leaving.namespace} ${leaving.name}`;
  const remove = () => _remove(cluster, leaving);
  try {
    await remove();
    _owed.delete(key);
  } catch (error) {
    _owed.set(key, remove);
    throw explain(error, `remove pod ${leaving.name}`, leaving.namespace);
  } finally {
    released();
  }
  for (const [owed, again] of [..._owed]) {
    _owed.delete(owed);
    await again().catch(() => _owed.set(owed, again));
  }
}

async function _remove(cluster: Cluster, leaving: Leaving): Promise<void> {
  const marked = await _delete(cluster, leaving, 1);
  if (!marked) return;
  if (!_ended(marked)) {
    await follow({
      cluster,
      namespace: leaving.namespace,
      name: leaving.name,
      version: marked.metadata?.resourceVersion,
      until: performance.now() + _nodeMs,
    }, (pod) => {
      const gone = !pod || pod.metadata?.uid !== marked.metadata?.uid;
      return gone || _ended(pod) ? true : undefined;
    });
  }
  await _delete(cluster, leaving, 0);
}
