import type { V1Pod } from "@kubernetes/client-node";
import { SandboxError } from "../../../errors.ts";
import type { BackendStatus } from "../../backend.ts";
import type { Box, BoxSpec, ContainerEngine } from "../box.ts";
import { PodBox } from "./box.ts";
import type { PodChannel } from "./channel.ts";
import { Cluster } from "./cluster.ts";
import { attach, execMain, type Where } from "./exec.ts";
import { explain, isFailure } from "./failure.ts";
import { placePod } from "./place.ts";
import { planPod } from "./pod.ts";
import { ensurePolicy } from "./policy.ts";
import { probeCluster } from "./probe.ts";
import { reapOnce } from "./reap.ts";
import { removePod } from "./remove.ts";
import { pause } from "./watch.ts";

/** Pods of the cluster that the kubeconfig names. */
export const kubernetesEngine: ContainerEngine = {
  name: "kubernetes",
  cutsNetwork: false,
  countsFiles: false,
  probe: (): Promise<BackendStatus> => probeCluster(),
  start: _start,
};

async function _start(spec: BoxSpec): Promise<Box> {
  _refuse(spec);
  if (spec.source.kind === "container") return await _attachTo(spec);
  const plan = planPod(spec);
  const cluster = await Cluster.load();
  const namespace = plan.namespace ?? cluster.namespace;
  reapOnce(cluster, namespace);
  if (!spec.rights.network) await ensurePolicy(cluster, namespace);
  const pod = await placePod(cluster, namespace, plan, spec.signal);
  const where = {
    namespace,
    pod: pod.metadata!.name!,
    container: plan.container,
  };
  try {
    const channel = await _attach(cluster, where, spec.signal);
    return new PodBox(cluster, pod, where, channel, false);
  } catch (error) {
    await _removeQuietly(cluster, namespace, pod);
    throw explain(error, `connect to pod ${where.pod}`, namespace);
  }
}

async function _attachTo(spec: BoxSpec): Promise<Box> {
  const cluster = await Cluster.load();
  const namespace = spec.kubeNamespace ?? cluster.namespace;
  const { pod, where, channel } = await execMain(
    cluster,
    namespace,
    spec as BoxSpec & { source: { kind: "container" } },
  );
  return new PodBox(cluster, pod, where, channel, true);
}

function _refuse({ rights, source }: BoxSpec): void {
  for (const right of ["read", "write"] as const) {
    if (Object.keys(rights[right]).length === 0) continue;
    throw _unsupported(
      `rights.${right}: the nodes of a cluster have no folders of this host`,
    );
  }
  if (source.kind === "dockerfile") {
    throw _unsupported("kubernetes builds no images");
  }
}

function _unsupported(state: string): SandboxError {
  return new SandboxError(
    "UNSUPPORTED",
    `Cannot open a session: ${state}. Backends that can: docker, podman.`,
  );
}

/** A container may be said to run a moment before its node can connect to it. */
async function _attach(
  cluster: Cluster,
  where: Where,
  signal: AbortSignal | undefined,
): Promise<PodChannel> {
  const until = performance.now() + 10_000;
  for (let waitMs = 50;; waitMs *= 2) {
    try {
      return await attach(cluster, where, { signal });
    } catch (error) {
      const passing = isFailure(error) && error.passing;
      if (!passing || performance.now() + waitMs > until) throw error;
      await pause(waitMs, until, signal);
    }
  }
}

/** Why the pod is not wanted is what the caller has to know. */
async function _removeQuietly(
  cluster: Cluster,
  namespace: string,
  { metadata }: V1Pod,
): Promise<void> {
  const { name, uid } = metadata!;
  await removePod(cluster, { namespace, name: name!, uid }).catch(() => {});
}
