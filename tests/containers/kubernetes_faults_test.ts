/** What goes wrong with pods and clusters: each ends in its code within a bounded time, and leaves nothing. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { Cluster } from "../../src/backends/container/kubernetes/cluster.ts";
import { kubernetesEngine } from "../../src/backends/container/kubernetes/engine.ts";
import { podsPath } from "../../src/backends/container/kubernetes/watch.ts";
import { isSandboxError, type SandboxErrorCode } from "../../src/errors.ts";
import {
  clusterTest,
  hear,
  label,
  podOf,
  pods,
  podSpec,
  say,
  throughProxy,
  until,
  withBox,
} from "./cluster.ts";

const { start } = kubernetesEngine;
const lives = "while read a; do echo $a; done";

function fails(
  what: Promise<unknown>,
  code: SandboxErrorCode,
  message: RegExp,
): Promise<void> {
  return assert.rejects(
    what,
    (error) => isSandboxError(error, code) && message.test(error.message),
  );
}

/** Within a generous bound, in ms. */
async function within<T>(ms: number, what: Promise<T>): Promise<T> {
  const began = performance.now();
  const answer = await what;
  const took = performance.now() - began;
  assert.ok(took < ms, `${took} ms instead of ${ms}`);
  return answer;
}

async function call(path: string, method: "POST" | "DELETE", body: unknown) {
  const cluster = await Cluster.load();
  await cluster.call(`${podsPath(cluster.namespace)}/${path}`, {
    method,
    body,
  });
}

clusterTest("a pod is deleted from outside", async () => {
  await withBox(podSpec(lives), async (box) => {
    await say(box, "here");
    await hear(box, "here");
    await call(box.id, "DELETE", { gracePeriodSeconds: 0 });
    await within(20_000, hear(box));
    const { code, state } = await within(6_000, box.lost());
    assert.equal(code, "GUEST_CRASHED");
    assert.match(state, /deleted from outside/);
    await assert.rejects(box.channel.write(new Uint8Array(1)));
  });
});

clusterTest("a pod is evicted", async () => {
  await withBox(podSpec(lives), async (box) => {
    await say(box, "here");
    await hear(box, "here");
    await call(`${box.id}/eviction`, "POST", {
      apiVersion: "policy/v1",
      kind: "Eviction",
      metadata: { name: box.id },
      deleteOptions: { gracePeriodSeconds: 2 },
    });
    await within(20_000, hear(box));
    const { code, state } = await within(6_000, box.lost());
    assert.equal(code, "GUEST_CRASHED");
    assert.match(state, /evicted|deleted from outside/);
  });
});

clusterTest("a pod uses more than its memory", async () => {
  const script = `read a; head -c 200m /dev/zero | tail -c 190m`;
  await withBox(podSpec(script), async (box) => {
    await say(box, "go");
    await within(40_000, hear(box));
    const { code } = await within(6_000, box.lost());
    // The kernel may have killed the shell's child alone, with which the shell ends.
    assert.ok(["MEMORY_EXCEEDED", "GUEST_CRASHED"].includes(code), code);
  });
});

clusterTest("the workspace is full", async () => {
  const script =
    `read a; head -c 32m /dev/zero > /sandbox/big; wc -c < /sandbox/big; ${lives}`;
  await withBox(podSpec(script), async (box) => {
    await say(box, "go\nstill here");
    const text = await hear(box, "still here");
    assert.match(text, /^16777216\n/);
    assert.match(box.channel.complaint(), /No space left on device/);
  });
});

clusterTest("the image is missing", async () => {
  const source = { kind: "image", image: "no-such/image:1" } as const;
  const runtimeConfigs = { imagePullPolicy: "Never" };
  await fails(
    within(60_000, start(podSpec("cat", { source, runtimeConfigs }))),
    "GUEST_NOT_FOUND",
    /no-such\/image:1.*ErrImageNeverPull/,
  );
});

clusterTest("the image has no such program", async () => {
  const podManifest = {
    spec: { containers: [{ env: [{ name: "PATH", value: "/nowhere" }] }] },
  };
  await fails(
    within(60_000, start(podSpec("cat", { podManifest }))),
    "GUEST_INVALID",
    /cannot be (started|made)/,
  );
});

clusterTest("a pod that never starts is given up", async () => {
  const runtimeConfigs = { nodeName: "no-such-node", startTimeoutSeconds: 1 };
  await fails(
    within(30_000, start(podSpec("cat", { runtimeConfigs }))),
    "TIMED_OUT",
    /within 1 s.*no-such-node/,
  );
});

clusterTest("starting is aborted", async () => {
  const control = new AbortController();
  const runtimeConfigs = { nodeName: "no-such-node" };
  const { signal } = control;
  const starting = start(podSpec("cat", { runtimeConfigs, signal }));
  starting.catch(() => {});
  await until("a pod", async () => (await pods()).length > 0);
  control.abort();
  await fails(within(20_000, starting), "ABORTED", /aborted/);
  await fails(start(podSpec("cat", { signal })), "ABORTED", /aborted/);
});

clusterTest("a quota is used up, which is a queue", async () => {
  const cluster = await Cluster.load();
  const path = `/api/v1/namespaces/${cluster.namespace}/resourcequotas`;
  const quota = (used: string) => ({
    apiVersion: "v1",
    kind: "ResourceQuota",
    metadata: { name: label },
    spec: { hard: { "count/pods": "1" } },
    status: { hard: { "count/pods": "1" }, used: { "count/pods": used } },
  });
  const tell = (used: string) =>
    cluster.call(`${path}/${label}/status`, {
      method: "PUT",
      body: quota(used),
    });
  await cluster.call(path, { method: "POST", body: quota("1") });
  try {
    await tell("1");
    const runtimeConfigs = { startTimeoutSeconds: 2 };
    await until("the quota", async () => {
      const short = { startTimeoutSeconds: 1 };
      return await start(podSpec("cat", { runtimeConfigs: short })).then(
        async (box) => {
          await box.remove();
          await tell("1");
        },
        (error) => /exceeded quota/.test(error.message),
      );
    });
    await fails(
      within(30_000, start(podSpec("cat", { runtimeConfigs }))),
      "TIMED_OUT",
      /exceeded quota/,
    );
    const waiting = start(podSpec("cat"));
    await tell("0");
    await (await within(40_000, waiting)).remove();
  } finally {
    await cluster.call(`${path}/${label}`, { method: "DELETE" });
  }
});

clusterTest("the API server goes away in mid-run and comes back", async () => {
  await throughProxy(async (proxy) => {
    await withBox(podSpec(lives), async (box) => {
      await say(box, "here");
      await hear(box, "here");
      proxy.cut();
      await within(5_000, hear(box));
      const { code } = await within(6_000, box.lost());
      assert.equal(code, "BACKEND_UNAVAILABLE");
      await fails(
        within(10_000, start(podSpec("cat"))),
        "BACKEND_UNAVAILABLE",
        /does not answer/,
      );
      proxy.mend();
      await withBox(podSpec(lives), async (next) => {
        await say(next, "again");
        await hear(next, "again");
      });
    });
  });
});

clusterTest("the API server goes away while a pod is waited for", async () => {
  await throughProxy(async (proxy) => {
    const runtimeConfigs = { nodeName: "no-such-node", startTimeoutSeconds: 8 };
    const starting = start(podSpec("cat", { runtimeConfigs }));
    starting.catch(() => {});
    const [pod] = await until("a pod", async () => {
      const found = await pods();
      return found.length > 0 && found;
    });
    proxy.cut();
    proxy.mend();
    // The watch goes on where it was: it hears of this.
    await call(pod!.metadata!.name!, "DELETE", { gracePeriodSeconds: 0 });
    await fails(within(20_000, starting), "GUEST_CRASHED", /from outside/);
  });
});

clusterTest("an API server that is silent is not waited for", async () => {
  await throughProxy(async (proxy) => {
    await withBox(podSpec(lives), async (box) => {
      await say(box, "here");
      await hear(box, "here");
      proxy.silence();
      const { code } = await within(6_000, box.lost());
      assert.equal(code, "BACKEND_UNAVAILABLE");
      const status = await within(6_000, kubernetesEngine.probe());
      assert.equal(status.available, false);
      assert.match(status.reason, /did not answer in 5 s\. Check/);
      proxy.mend();
    });
  });
});

clusterTest("removing without an API server says so", async () => {
  await throughProxy(async (proxy) => {
    const box = await start(podSpec(lives));
    await say(box, "here");
    await hear(box, "here");
    proxy.cut();
    await fails(
      within(20_000, box.remove()),
      "BACKEND_UNAVAILABLE",
      /does not answer/,
    );
    proxy.mend();
    // The end of its input has ended it; what is left is a record.
    await until("the pod's end", async () => {
      const phase = (await podOf(box.id))?.status?.phase;
      return phase === "Succeeded" || phase === "Failed";
    });
    await call(box.id, "DELETE", { gracePeriodSeconds: 0 });
  });
});

async function withConfig(
  change: (config: string) => string,
  use: () => Promise<void>,
): Promise<void> {
  const { KUBECONFIG } = process.env;
  const dir = mkdtempSync(join(tmpdir(), "mote-kube-"));
  const own = join(dir, "config");
  writeFileSync(own, change(readFileSync(KUBECONFIG!, "utf8")), {
    mode: 0o600,
  });
  process.env.KUBECONFIG = own;
  try {
    await use();
  } finally {
    process.env.KUBECONFIG = KUBECONFIG;
    rmSync(dir, { recursive: true });
  }
}

async function unusable(message: RegExp): Promise<void> {
  const { available, reason } = await within(6_000, kubernetesEngine.probe());
  assert.equal(available, false);
  assert.match(reason, message);
  await fails(start(podSpec("cat")), "BACKEND_UNAVAILABLE", message);
}

clusterTest("kubeconfigs that lead nowhere", async () => {
  await withConfig(
    (config) => config.replace(/token: \w+/, "token: wrong"),
    () => unusable(/does not accept the login.*Renew/),
  );
  await withConfig(
    (config) => config.replace(/current-context: \w+/, ""),
    () => unusable(/no current context.*use-context/),
  );
  await withConfig(() => "clusters: [", () => unusable(/cannot be read/));
  await withConfig(
    (config) => config.replace(/certificate-authority-data: [\w+/=]+/, ""),
    () => unusable(/does not answer \(.*certificate/i),
  );
  await withConfig(
    (config) =>
      config.replace(/server: "[^"]*"/, 'server: "https://127.0.0.1:1"'),
    () => unusable(/does not answer.*refused/i),
  );
});

clusterTest("something else answers instead of an API server", async () => {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.write(Buffer.from("HTTP/1.1 200 OK\r\n\r\nhello"));
    socket.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    await withConfig(
      (config) =>
        config.replace(
          /server: "[^"]*"/,
          `server: "https://127.0.0.1:${port}"`,
        ),
      () => unusable(/does not answer/),
    );
  } finally {
    server.close();
  }
});
