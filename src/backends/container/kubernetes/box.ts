import type { V1Pod } from "@kubernetes/client-node";
import type { Box, Channel, Loss } from "../box.ts";
import type { PodChannel } from "./channel.ts";
import type { Cluster } from "./cluster.ts";
import type { Where } from "./exec.ts";
import { isFailure } from "./failure.ts";
import { removePod } from "./remove.ts";
import { lossOf, statusOf } from "./status.ts";
import { follow } from "./watch.ts";

/** A status is some time behind what happened; a pod is looked at for this long, in ms. */
const _lookMs = 4_500;

/** A pod that code runs in. */
export class PodBox implements Box {
  readonly id: string;
  readonly imageId: string;
  readonly channel: Channel;
  readonly alone: boolean;
  readonly #cluster: Cluster;
  readonly #where: Where;
  readonly #uid: string | undefined;
  readonly #kept: boolean;
  #removed: Promise<void> | undefined;

  /** `kept` is a pod that was there before. */
  constructor(
    cluster: Cluster,
    pod: V1Pod,
    where: Where,
    channel: PodChannel,
    kept: boolean,
  ) {
    const status = statusOf(pod, where.container);
    this.id = where.pod;
    this.imageId = status?.imageID || status?.image || "";
    this.channel = channel;
    this.alone = !kept;
    this.#cluster = cluster;
    this.#where = where;
    this.#uid = pod.metadata?.uid;
    this.#kept = kept;
  }

  async lost(): Promise<Loss> {
    const { namespace, pod: name, container } = this.#where;
    if (this.#removed) {
      return { code: "SESSION_CLOSED", state: "the session removed the pod" };
    }
    const until = performance.now() + _lookMs;
    let seen = false;
    try {
      const at = { cluster: this.#cluster, namespace, name, until };
      const loss = await follow<Loss>(at, (pod) => {
        seen = true;
        const same = pod?.metadata?.uid === this.#uid ? pod : undefined;
        return lossOf(same, container);
      });
      if (loss) return loss;
    } catch (error) {
      if (!isFailure(error)) throw error;
      seen = error.status !== 0;
    }
    return {
      code: "BACKEND_UNAVAILABLE",
      state: seen
        ? "the API server ended the connection to the pod"
        : "the API server does not answer any more",
    };
  }

  remove(): Promise<void> {
    return this.#removed ??= this.#remove();
  }

  async #remove(): Promise<void> {
    // The end of its input ends the main process, and with it everything in the pod.
    this.channel.close();
    if (this.#kept) return;
    const { namespace, pod: name } = this.#where;
    await removePod(this.#cluster, { namespace, name, uid: this.#uid });
  }
}
