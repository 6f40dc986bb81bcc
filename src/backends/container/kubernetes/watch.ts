import type { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { V1Pod } from "@kubernetes/client-node";
import type { Cluster } from "./cluster.ts";
import { ApiFailure, isFailure } from "./failure.ts";

/** Path of the pods of a namespace, or of one of them. */
export function podsPath(namespace: string, name?: string): string {
  const pods = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
  return name === undefined ? pods : `${pods}/${encodeURIComponent(name)}`;
}

/** How a pod is followed. */
export interface Follow {
  /** The cluster. */
  readonly cluster: Cluster;
  /** Where the pod is. */
  readonly namespace: string;
  /** Its name. */
  readonly name: string;
  /** The last version that is known already; without it the pod is read first. */
  readonly version?: string | undefined;
  /** When to give up, by `performance.now()`. */
  readonly until: number;
  /** Cancels it. */
  readonly signal?: AbortSignal | undefined;
}

interface Event {
  readonly type: string;
  readonly object: V1Pod & { code?: number };
}

/** An API server that does not answer is waited for this long, in ms. */
const _silenceMs = 15_000;
/** A line of a watch is one pod, which the API server holds to 1.5 MiB. */
const _lineBytes = 8 << 20;

/**
 * Follows a pod until `decide` answers; it is told `undefined` when there is no such pod. A watch that ends, as every one
 * does after some minutes or with its API server, goes on from the pod's state then. Answers undefined when time is up.
 */
export async function follow<T>(
  at: Follow,
  decide: (pod: V1Pod | undefined) => T | undefined,
): Promise<T | undefined> {
  const { cluster, namespace, name, until, signal } = at;
  let version = at.version;
  let silentSince: number | undefined;
  for (let failures = 0; performance.now() < until;) {
    const leftMs = until - performance.now();
    try {
      if (version === undefined) {
        const pod = await cluster.call<V1Pod>(podsPath(namespace, name), {
          signal,
          timeoutMs: Math.min(leftMs, 20_000),
        }).catch((error) => {
          if (isFailure(error, 404)) return undefined;
          throw error;
        });
        silentSince = undefined;
        const answer = decide(pod);
        if (answer !== undefined) return answer;
        version = pod?.metadata?.resourceVersion ?? "0";
      }
      const response = await _watch(at, version);
      failures = 0;
      silentSince = undefined;
      const opened = performance.now();
      for await (const { type, object } of _events(at, response)) {
        if (type === "ERROR") {
          version = undefined;
          break;
        }
        version = object.metadata?.resourceVersion ?? version;
        if (type === "BOOKMARK") continue;
        const answer = decide(type === "DELETED" ? undefined : object);
        if (answer !== undefined) return answer;
      }
      // Whatever ends watches at once must not be asked all the time.
      if (performance.now() - opened < 1_000) failures++;
    } catch (error) {
      if (!isFailure(error) || (!error.passing && error.status !== 410)) {
        throw error;
      }
      const now = performance.now();
      if (now >= until) break;
      silentSince ??= now;
      if (now - silentSince > _silenceMs) throw error;
      version = undefined;
      failures++;
    }
    if (failures > 0) {
      await pause(Math.min(2_000, 100 * 2 ** failures), until, signal);
    }
  }
  return undefined;
}

function _watch(at: Follow, version: string): Promise<IncomingMessage> {
  const { cluster, namespace, name, until, signal } = at;
  const leftMs = Math.max(1, until - performance.now());
  return cluster.stream(podsPath(namespace), {
    query: {
      watch: "true",
      fieldSelector: `metadata.name=${name}`,
      resourceVersion: version,
      timeoutSeconds: `${Math.ceil(Math.min(leftMs / 1000, 240))}`,
    },
    signal,
    timeoutMs: Math.min(leftMs, 20_000),
  });
}

async function* _events(
  { until, signal }: Follow,
  response: IncomingMessage,
): AsyncGenerator<Event> {
  const stop = () => void response.destroy();
  const timer = setTimeout(stop, Math.max(0, until - performance.now()));
  signal?.addEventListener("abort", stop);
  const decoder = new TextDecoder();
  let rest = "";
  try {
    if (signal?.aborted) return;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split(
        "\n",
      );
      rest = lines.pop()!;
      if (rest.length > _lineBytes) return;
      for (const line of lines) if (line !== "") yield JSON.parse(line);
    }
  } catch (error) {
    if (signal?.aborted) {
      throw new ApiFailure(0, "Aborted", "the caller aborted it");
    }
    const { message } = error as Error;
    throw new ApiFailure(0, "WatchEnded", message);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
    stop();
  }
}

/** Waits, but not beyond `until` and not when aborted. */
export function pause(
  ms: number,
  until: number,
  signal?: AbortSignal,
): Promise<void> {
  const most = Math.min(ms, until - performance.now());
  if (most <= 0 || signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, most);
    signal?.addEventListener("abort", done);
  });
}
