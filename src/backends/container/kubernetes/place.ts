import type { V1Pod } from "@kubernetes/client-node";
import { SandboxError } from "../../../errors.ts";
import { throwIfAborted } from "../../../host_error.ts";
import type { Cluster } from "./cluster.ts";
import { explain, isFailure } from "./failure.ts";
import { thisOwner } from "./owner.ts";
import { podName, type PodPlan } from "./pod.ts";
import { waitForRoom } from "./queue.ts";
import { removePod } from "./remove.ts";
import { type PodState, stateOf } from "./status.ts";
import { follow, podsPath } from "./watch.ts";

const _action = "start a pod";
/** Attempts without an answer of the API server. */
const _silences = 3;

type _Outcome = { state: Exclude<PodState, { kind: "waiting" }>; pod: V1Pod };

/** Makes a pod and resolves when it runs; waits for room, and leaves nothing behind when there is none. */
export async function placePod(
  cluster: Cluster,
  namespace: string,
  plan: PodPlan,
  signal: AbortSignal | undefined,
): Promise<V1Pod> {
  const until = performance.now() + plan.startMs;
  let why = "it was not made yet";
  let silences = 0;
  for (let attempt = 0;; attempt++) {
    throwIfAborted(signal, _action);
    const name = podName(plan.prefix);
    const leaving = { namespace, name };
    let made: V1Pod | undefined;
    try {
      made = await _make(cluster, namespace, plan, name, signal);
    } catch (error) {
      if (!isFailure(error)) throw error;
      // It may be there all the same.
      if (error.status === 0) {
        await removePod(cluster, leaving).catch(() => {});
      }
      const silent = error.status === 0 && ++silences >= _silences;
      if (silent || !(error.quota || error.passing)) {
        throw explain(error, _action, namespace);
      }
      why = error.message;
    }
    if (made) {
      const uid = made.metadata?.uid;
      let outcome: _Outcome | undefined;
      try {
        outcome = await _wait(cluster, namespace, plan, made, until, signal, (
          one,
        ) => why = one);
      } catch (error) {
        await _giveUp(cluster, { ...leaving, uid });
        throwIfAborted(signal, _action);
        throw explain(error, _action, namespace);
      }
      if (outcome?.state.kind === "running") return outcome.pod;
      await _giveUp(cluster, { ...leaving, uid });
      throwIfAborted(signal, _action);
      if (outcome?.state.kind === "failed") {
        const { code, state, cure } = outcome.state;
        throw new SandboxError(code, `Cannot ${_action}: ${state}. ${cure}`);
      }
      if (outcome) why = outcome.state.why;
    }
    await waitForRoom(attempt, until, signal);
    if (performance.now() >= until) {
      throwIfAborted(signal, _action);
      throw new SandboxError(
        "TIMED_OUT",
        `Cannot ${_action}: it did not run within ${
          plan.startMs / 1000
        } s (${why}). Make room in the cluster, or give startTimeoutSeconds in runtimeConfigs.`,
      );
    }
  }
}

/** A pod of this name that is there already is the one of a call whose answer was lost. */
async function _make(
  cluster: Cluster,
  namespace: string,
  plan: PodPlan,
  name: string,
  signal: AbortSignal | undefined,
): Promise<V1Pod> {
  try {
    return await cluster.call<V1Pod>(podsPath(namespace), {
      method: "POST",
      query: { fieldValidation: "Strict" },
      body: plan.manifest(name, thisOwner()),
      signal,
    });
  } catch (error) {
    const there = isFailure(error, 409) && error.reason === "AlreadyExists";
    if (!there) throw error;
    return await cluster.call<V1Pod>(podsPath(namespace, name), { signal });
  }
}

/** A failure to remove must not hide why the pod is not wanted; the next start looks for it. */
async function _giveUp(
  cluster: Cluster,
  leaving: { namespace: string; name: string; uid?: string | undefined },
): Promise<void> {
  await removePod(cluster, leaving).catch(() => {});
}

function _wait(
  cluster: Cluster,
  namespace: string,
  { container }: PodPlan,
  made: V1Pod,
  until: number,
  signal: AbortSignal | undefined,
  told: (why: string) => void,
): Promise<_Outcome | undefined> {
  const { name, uid, resourceVersion } = made.metadata!;
  const first = stateOf(made, container);
  if (first.kind === "waiting") told(first.why);
  return follow<_Outcome>({
    cluster,
    namespace,
    name: name!,
    version: resourceVersion,
    until,
    signal,
  }, (pod) => {
    if (!pod || pod.metadata?.uid !== uid || pod.metadata?.deletionTimestamp) {
      return {
        pod: made,
        state: {
          kind: "failed",
          code: "GUEST_CRASHED",
          state: "it was deleted from outside before it ran",
          cure: "Call again.",
        },
      };
    }
    const state = stateOf(pod, container);
    if (state.kind !== "waiting") return { state, pod };
    told(state.why);
    return undefined;
  });
}
