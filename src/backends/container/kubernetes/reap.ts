import type { V1Pod } from "@kubernetes/client-node";
import type { Cluster } from "./cluster.ts";
import { ownerIsGone } from "./owner.ts";
import { containerAnnotation, labels, ownerAnnotation } from "./pod.ts";
import { removePod } from "./remove.ts";
import { statusOf } from "./status.ts";
import { podsPath } from "./watch.ts";

/** A pod that has ended is its owner's for this long, in ms; then nobody wants to know any more what became of it. */
const _endedMs = 600_000;

/**
 * Whether nobody needs a pod any more: its owner ran on this host and is gone, or the pod itself has ended and was left.
 * A pod ends by itself when its owner's connection does, or its activeDeadlineSeconds pass, so no owner has to renew
 * anything; and whatever still runs for an owner on another host is never touched.
 */
export function isLeft(pod: V1Pod, now: number): boolean {
  const { annotations = {}, deletionTimestamp } = pod.metadata ?? {};
  const owner = annotations[ownerAnnotation];
  if (owner === undefined || deletionTimestamp) return false;
  if (ownerIsGone(owner)) return true;
  const main = statusOf(pod, annotations[containerAnnotation] ?? "mote");
  const ended = main?.state?.terminated?.finishedAt as unknown as
    | string
    | undefined;
  const over = pod.status?.phase === "Failed" ||
    pod.status?.phase === "Succeeded" || ended !== undefined;
  const made = pod.metadata?.creationTimestamp as unknown as string | undefined;
  const since = Date.parse(ended ?? made ?? "");
  return over && now - since > _endedMs;
}

/** Removes pods of Mote's in a namespace that nobody needs any more; answers their names. */
export async function reap(
  cluster: Cluster,
  namespace: string,
): Promise<string[]> {
  const [[label, value]] = Object.entries(labels.managed) as [[string, string]];
  const left: V1Pod[] = [];
  let next: string | undefined = "";
  while (next !== undefined) {
    const page: {
      items: V1Pod[];
      metadata?: { continue?: string };
    } = await cluster.call(podsPath(namespace), {
      query: {
        labelSelector: `${label}=${value}`,
        limit: "500",
        ...(next && { continue: next }),
      },
    });
    left.push(...page.items.filter((pod) => isLeft(pod, cluster.now())));
    next = page.metadata?.continue || undefined;
  }
  const names: string[] = [];
  for (const { metadata } of left) {
    const { name, uid } = metadata!;
    await removePod(cluster, { namespace, name: name!, uid });
    names.push(name!);
  }
  return names;
}

const _begun = new WeakMap<Cluster, Set<string>>();

/** Reaps once in this process, in the background. */
export function reapOnce(cluster: Cluster, namespace: string): void {
  const begun = _begun.get(cluster) ?? new Set();
  _begun.set(cluster, begun);
  if (begun.has(namespace)) return;
  begun.add(namespace);
  // Nobody waits for it, and the next process tries again.
  reap(cluster, namespace).catch(() => {});
}
