import type { Cluster } from "./cluster.ts";
import { unavailable } from "./config.ts";
import { explain, isFailure } from "./failure.ts";
import { labels } from "./pod.ts";

/** The NetworkPolicy that cuts off pods without the network. */
export const policyName = "mote-no-network";

/** What a NetworkPolicy does: `asked` is one that a CNI may enforce, `missing` is none. */
export type PolicyState = "asked" | "missing";

const _spec = {
  podSelector: { matchLabels: labels.noNetwork },
  policyTypes: ["Ingress", "Egress"],
};

const _known = new WeakMap<Cluster, Map<string, Promise<PolicyState>>>();

/** Makes sure of the policy, once for each namespace; resolves before a pod of it may be made. */
export function ensurePolicy(
  cluster: Cluster,
  namespace: string,
): Promise<PolicyState> {
  let known = _known.get(cluster);
  if (!known) _known.set(cluster, known = new Map());
  let state = known.get(namespace);
  if (!state) {
    state = _ensure(cluster, namespace);
    known.set(namespace, state);
    state.catch(() => known.delete(namespace));
  }
  return state;
}

async function _ensure(
  cluster: Cluster,
  namespace: string,
): Promise<PolicyState> {
  const path = `/apis/networking.k8s.io/v1/namespaces/${
    encodeURIComponent(namespace)
  }/networkpolicies`;
  try {
    await cluster.call(path, {
      method: "POST",
      body: {
        apiVersion: "networking.k8s.io/v1",
        kind: "NetworkPolicy",
        metadata: { name: policyName, labels: labels.managed },
        spec: _spec,
      },
    });
    return "asked";
  } catch (error) {
    const there = isFailure(error, 409) || isFailure(error, 403);
    if (!there) throw explain(error, "start a pod", namespace);
  }
  try {
    const { spec } = await cluster.call<{ spec: typeof _spec & object }>(
      `${path}/${policyName}`,
    );
    if (_same(spec)) return "asked";
  } catch (error) {
    if (isFailure(error, 404) || isFailure(error, 403)) return "missing";
    throw explain(error, "start a pod", namespace);
  }
  throw unavailable(
    `NetworkPolicy ${policyName} of namespace ${namespace} lets traffic through`,
    `Delete it, so that it is made anew: kubectl -n ${namespace} delete networkpolicy ${policyName}`,
  );
}

function _same(spec: Record<string, unknown>): boolean {
  const { podSelector, policyTypes, ...rules } = spec;
  return JSON.stringify(podSelector) === JSON.stringify(_spec.podSelector) &&
    [...policyTypes as string[]].sort().join() === "Egress,Ingress" &&
    Object.values(rules).every((one) => Array.isArray(one) && !one.length);
}
