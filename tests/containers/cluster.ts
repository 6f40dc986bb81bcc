/**
 * The cluster that tests of `kubernetes` use: that of KUBECONFIG. `MOTE_TEST_KUBE_NODE` names the node for clusters
 * without a scheduler, `MOTE_TEST_IMAGES` the beginning of images' names, such as "lab/" for lab/python:1.
 */
import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import {
  type AddressInfo,
  connect as connectTcp,
  createServer,
  type Socket,
} from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import type { V1Pod } from "@kubernetes/client-node";
import type { Box, BoxSpec } from "../../src/backends/container/box.ts";
import { Cluster } from "../../src/backends/container/kubernetes/cluster.ts";
import { kubernetesEngine } from "../../src/backends/container/kubernetes/engine.ts";
import { isFailure } from "../../src/backends/container/kubernetes/failure.ts";
import { podsPath } from "../../src/backends/container/kubernetes/watch.ts";

/** The image of Python that tests start. */
export const image: string = process.env.MOTE_TEST_IMAGES
  ? `${process.env.MOTE_TEST_IMAGES}python:1`
  : "python:3.14-slim";

/** A node, where no scheduler gives a pod one. */
export const placement: Record<string, unknown> =
  process.env.MOTE_TEST_KUBE_NODE
    ? { nodeName: process.env.MOTE_TEST_KUBE_NODE }
    : {};

/** Why there is no cluster to test with, if so. */
export const noCluster: string | undefined = await (async () => {
  const { available, reason } = await kubernetesEngine.probe();
  return available ? undefined : reason;
})();

/** The label of all pods of this process' tests. */
export const label = `t${process.pid}-${Date.now().toString(36)}`;

/** What to start; the main process is a shell with `script`. */
export function podSpec(
  script: string,
  change: Partial<BoxSpec> = {},
): BoxSpec {
  return {
    source: { kind: "image", image },
    command: ["sh", "-c", script],
    workdir: "/",
    env: {},
    folders: [
      { path: "/sandbox", sizeMb: 16, files: 100, executable: true },
      { path: "/tmp", sizeMb: 16, files: null, executable: true },
    ],
    rights: {
      network: false,
      read: {},
      write: {},
      root: false,
      writableRoot: false,
      capabilities: [],
      newPrivileges: false,
    },
    limits: {
      memoryMb: 64,
      cpus: 1,
      processes: 64,
      workspaceMb: 16,
      workspaceFiles: 100,
    },
    purpose: "session",
    keepTemplate: false,
    ...change,
    runtimeConfigs: {
      ...placement,
      labels: { test: label },
      ...change.runtimeConfigs,
    },
  };
}

/** Pods of this process' tests. */
export async function pods(): Promise<V1Pod[]> {
  const cluster = await Cluster.load();
  const { items } = await cluster.call<{ items: V1Pod[] }>(
    podsPath(cluster.namespace),
    { query: { labelSelector: `test=${label}` } },
  );
  return items;
}

/** A test that a cluster has to be there for, and after which there is no pod of its left. */
export function clusterTest(name: string, run: () => Promise<void>): void {
  const skip = noCluster ?? false;
  test(name, { skip, timeout: 120_000 }, async () => {
    await run();
    const left = (await pods()).map(({ metadata }) => metadata?.name);
    assert.deepEqual(left, [], "pods were left");
  });
}

/** Starts a box, uses it and removes it. */
export async function withBox(
  spec: BoxSpec,
  use: (box: Box) => Promise<void>,
): Promise<void> {
  const box = await kubernetesEngine.start(spec);
  try {
    await use(box);
  } finally {
    await box.remove();
  }
}

/** Sends a line. */
export function say(box: Box, line: string): Promise<void> {
  return box.channel.write(new TextEncoder().encode(`${line}\n`));
}

/** Reads output until it has `text` in it, or to its end without one. */
export async function hear(box: Box, text?: string): Promise<string> {
  const decoder = new TextDecoder();
  const iterator = box.channel.output[Symbol.asyncIterator]();
  let heard = "";
  while (text === undefined || !heard.includes(text)) {
    const { done, value } = await iterator.next();
    if (done) break;
    heard += decoder.decode(value, { stream: true });
  }
  if (text !== undefined) assert.ok(heard.includes(text), heard);
  return heard;
}

/** Waits until `look` answers something. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
): Promise<T> {
  const end = performance.now() + 60_000;
  while (performance.now() < end) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`${what}: not within 60 s`);
}

/** A pod by its name; undefined when there is none. */
export async function podOf(name: string): Promise<V1Pod | undefined> {
  const cluster = await Cluster.load();
  try {
    return await cluster.call<V1Pod>(podsPath(cluster.namespace, name));
  } catch (error) {
    if (isFailure(error, 404)) return undefined;
    throw error;
  }
}

/** A way to the API server that can be cut. */
export interface Proxy {
  /** Breaks every connection and refuses new ones. */
  cut(): void;
  /** Keeps every connection, but lets nothing through any more. */
  silence(): void;
  /** Lets everything through again. */
  mend(): void;
}

/** Has the code of `use` reach the API server through a proxy, by a kubeconfig of its own. */
export async function throughProxy(
  use: (proxy: Proxy) => Promise<void>,
): Promise<void> {
  const { server } = await Cluster.load();
  const { hostname, port } = new URL(server);
  const ways = new Set<Socket>();
  let state: "open" | "cut" | "silent" = "open";
  const proxy = createServer((near) => {
    if (state === "cut") return near.destroy();
    const far = connectTcp(Number(port || 443), hostname);
    for (const [from, to] of [[near, far], [far, near]] as const) {
      ways.add(from);
      from.on("data", (bytes: Buffer) => {
        if (state === "open") to.write(bytes);
      });
      from.on("error", () => {});
      from.on("close", () => {
        ways.delete(from);
        to.destroy();
      });
    }
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const dir = mkdtempSync(join(tmpdir(), "mote-kube-"));
  const { KUBECONFIG } = process.env;
  const own = join(dir, "config");
  const address = `https://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const config = readFileSync(KUBECONFIG!, "utf8");
  writeFileSync(own, config.replace(server, address), { mode: 0o600 });
  process.env.KUBECONFIG = own;
  const breakAll = () => {
    for (const one of ways) one.destroy();
  };
  try {
    await use({
      cut() {
        state = "cut";
        breakAll();
      },
      silence: () => void (state = "silent"),
      mend() {
        state = "open";
        breakAll();
      },
    });
  } finally {
    process.env.KUBECONFIG = KUBECONFIG;
    proxy.close();
    breakAll();
    rmSync(dir, { recursive: true });
  }
}
