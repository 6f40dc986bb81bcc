/** Many pods at once, and processes of ours that end without a word. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Cluster } from "../../src/backends/container/kubernetes/cluster.ts";
import { kubernetesEngine } from "../../src/backends/container/kubernetes/engine.ts";
import { reap } from "../../src/backends/container/kubernetes/reap.ts";
import {
  clusterTest,
  hear,
  label,
  podOf,
  podSpec,
  say,
  until,
} from "./cluster.ts";

interface Node {
  status: { allocatable: { memory: string } };
}

/** MiB that the only node, or the one of the tests, can give. */
async function roomMb(): Promise<number> {
  const cluster = await Cluster.load();
  const { items } = await cluster.call<{ items: Node[] }>("/api/v1/nodes");
  const { memory } = items[0]!.status.allocatable;
  return parseInt(memory) / 1024;
}

clusterTest("twenty at once end, though a node has room for six", async () => {
  const memoryMb = Math.floor(await roomMb() / 6.5);
  const limits = { ...podSpec("").limits, memoryMb };
  const resources = { requests: { memory: `${memoryMb}Mi` } };
  let most = 0, now = 0;
  const ends = await Promise.all(Array.from({ length: 20 }, async (_, turn) => {
    const box = await kubernetesEngine.start(
      podSpec("read a; echo $a; cat", {
        limits,
        runtimeConfigs: { resources },
      }),
    );
    most = Math.max(most, ++now);
    try {
      await say(box, `turn ${turn}.`);
      return await hear(box, ".");
    } finally {
      now--;
      await box.remove();
    }
  }));
  assert.deepEqual(
    ends.map((text) => text.trim()),
    Array.from({ length: 20 }, (_, turn) => `turn ${turn}.`),
  );
  assert.ok(most <= 6, `${most} at a time`);
});

clusterTest("what a killed process left ends, and is reaped", async () => {
  const child = fileURLToPath(new URL("./fixtures/pod.ts", import.meta.url));
  const args = "Deno" in globalThis ? ["run", "-A", "--no-check"] : [];
  const owner = spawn(process.execPath, [...args, child, label], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [name] = await once(createInterface(owner.stdout), "line");
  assert.equal((await podOf(name))?.status?.phase, "Running");
  const cluster = await Cluster.load();
  const { namespace } = cluster;
  assert.ok(!(await reap(cluster, namespace)).includes(name), "it is used");
  owner.kill("SIGKILL");
  await once(owner, "exit");
  const ended = await until("the pod's end", async () => {
    const phase = (await podOf(name))?.status?.phase;
    return phase !== "Running" && phase;
  });
  assert.equal(ended, "Succeeded");
  assert.ok((await reap(cluster, namespace)).includes(name));
  assert.equal(await podOf(name), undefined);
});
