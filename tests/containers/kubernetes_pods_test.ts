/** Pods of a real cluster: what they are, and what passes between them and us. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import process from "node:process";
import { Cluster } from "../../src/backends/container/kubernetes/cluster.ts";
import { kubernetesEngine } from "../../src/backends/container/kubernetes/engine.ts";
import { exec } from "../../src/backends/container/kubernetes/exec.ts";
import { policyName } from "../../src/backends/container/kubernetes/policy.ts";
import { isSandboxError } from "../../src/errors.ts";
import {
  clusterTest,
  hear,
  label,
  podOf,
  podSpec,
  say,
  withBox,
} from "./cluster.ts";

const ready = "read start; ";

clusterTest("the cluster says what it is", async () => {
  const { available, details } = await kubernetesEngine.probe();
  assert.equal(available, true);
  assert.match(String(details?.version), /^v1\./);
  assert.ok(details?.context && details?.namespace);
});

clusterTest("a pod has nothing that was not given to it", async () => {
  const script =
    `${ready} id -u; grep -E 'CapBnd|NoNewPrivs|Seccomp:' /proc/self/status
    touch /file 2>&1; touch /sandbox/file && echo workspace
    ls /var/run/secrets 2>&1; cat /etc/resolv.conf; echo $$; cat`;
  await withBox(podSpec(script), async (box) => {
    assert.equal(box.alone, true);
    assert.ok(box.imageId.length > 0);
    await say(box, "go\nend");
    const text = await hear(box, "end");
    const [user] = text.split("\n");
    assert.ok(Number(user) >= 1_000_000, text);
    assert.match(text, /CapBnd:\s+0000000000000000\n/);
    assert.match(text, /NoNewPrivs:\s+1\n/);
    assert.match(text, /Seccomp:\s+2\n/);
    assert.match(text, /\/file.*Read-only file system/);
    assert.match(text, /\nworkspace\n/);
    assert.match(text, /secrets.*No such file/);
    assert.match(text, /nameserver 127\.0\.0\.1\n/);
    assert.match(text, /\n1\n/);
  });
});

clusterTest("a policy asks the network to be cut", async () => {
  await withBox(podSpec("cat"), async (box) => {
    const cluster = await Cluster.load();
    const policy = await cluster.call<{
      spec: { podSelector: { matchLabels: Record<string, string> } };
    }>(
      `/apis/networking.k8s.io/v1/namespaces/${cluster.namespace}/networkpolicies/${policyName}`,
    );
    const labels = (await podOf(box.id))?.metadata?.labels ?? {};
    const wanted = Object.entries(policy.spec.podSelector.matchLabels);
    assert.ok(wanted.length > 0);
    for (const [key, value] of wanted) assert.equal(labels[key], value);
  });
});

clusterTest("bytes pass both ways as they are, without a loss", async () => {
  const size = 48 << 20;
  const script = `${ready} head -c ${size}; cat >&2`;
  await withBox(podSpec(script), async ({ channel }) => {
    const sent = createHash("sha256"), got = createHash("sha256");
    const block = crypto.getRandomValues(new Uint8Array(65_536));
    const reading = (async () => {
      let count = 0;
      for await (const bytes of channel.output) {
        got.update(bytes);
        count += bytes.byteLength;
        if (count >= size) return count;
      }
      return count;
    })();
    await channel.write(new TextEncoder().encode("go\n"));
    for (let at = 0; at < size; at += block.byteLength) {
      block[at % block.byteLength]! ^= at >>> 16;
      sent.update(block);
      await channel.write(block.slice());
    }
    assert.equal(await reading, size);
    assert.equal(got.digest("hex"), sent.digest("hex"));
  });
});

clusterTest("whoever does not read holds the other side back", async () => {
  const script = `${ready} echo begun; sleep 600`;
  await withBox(podSpec(script), async (box) => {
    await say(box, "go");
    await hear(box, "begun");
    const block = new Uint8Array(1 << 20);
    let taken = 0;
    const writing = (async () => {
      for (; taken < 256; taken++) await box.channel.write(block);
    })().catch(() => "gone");
    let before = -1;
    // Nothing more is taken when the pipes on the way are full.
    for (let still = 0; still < 2_000;) {
      await new Promise((resolve) => setImmediate(resolve));
      still = before === taken ? still + 1 : 0;
      before = taken;
    }
    assert.ok(taken < 200, `${taken} MiB were taken`);
    box.channel.close();
    assert.equal(await writing, "gone");
  });
  const before = process.memoryUsage().rss;
  await withBox(podSpec(`${ready} yes`), async (box) => {
    await say(box, "go");
    await hear(box, "y");
    for (let turn = 0; turn < 20_000; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const grown = process.memoryUsage().rss - before;
    assert.ok(grown < 150 << 20, `${grown >> 20} MiB more`);
  });
});

clusterTest("the end of the connection ends the pod", async () => {
  await withBox(podSpec("cat; exit 7"), async (box) => {
    await say(box, "go");
    await hear(box, "go");
    box.channel.close();
    const { code, state } = await box.lost();
    assert.equal(code, "GUEST_CRASHED");
    assert.match(state, /exit code 7/);
  });
});

clusterTest("what a shell says when it cannot start is kept", async () => {
  await withBox(podSpec(`${ready} no-such-program`), async (box) => {
    await say(box, "go");
    await hear(box);
    assert.match(box.channel.complaint(), /no-such-program.*not found/);
  });
});

clusterTest("removing twice is removing once", async () => {
  const box = await kubernetesEngine.start(podSpec("cat"));
  await Promise.all([box.remove(), box.remove()]);
  await box.remove();
  assert.equal(await podOf(box.id), undefined);
  assert.equal((await box.lost()).code, "SESSION_CLOSED");
});

clusterTest("a program in a pod answers with its exit code", async () => {
  await withBox(podSpec("cat"), async (box) => {
    const cluster = await Cluster.load();
    const at = {
      namespace: cluster.namespace,
      pod: box.id,
      container: "mote",
    };
    const channel = await exec(cluster, at, [
      "sh",
      "-c",
      "read a; echo out $a; echo err >&2; exit 9",
    ]);
    await channel.write(new TextEncoder().encode("in\n"));
    let text = "";
    for await (const bytes of channel.output) {
      text += new TextDecoder().decode(bytes);
    }
    assert.equal(text, "out in\n");
    assert.equal(channel.complaint(), "err\n");
    assert.equal((await channel.status).exitCode, 9);
    const missing = await exec(cluster, at, ["no-such-program"]);
    const { exitCode, message } = await missing.status;
    assert.ok(exitCode !== 0, message);
  });
});

clusterTest("a pod that is there already is used and kept", async () => {
  await withBox(podSpec("cat"), async (pod) => {
    const script = 'pwd; echo "$WORD"; ls -d /tmp/made; read a; echo $a; cat';
    const box = await kubernetesEngine.start(podSpec(script, {
      source: { kind: "container", id: pod.id },
      workdir: "/sandbox",
      env: { WORD: "a b=c" },
      folders: [
        { path: "/tmp/made", sizeMb: 1, files: null, executable: true },
      ],
    }));
    assert.equal(box.alone, false);
    await say(box, "go");
    assert.equal(await hear(box, "go"), "/sandbox\na b=c\n/tmp/made\ngo\n");
    await box.remove();
    assert.equal((await podOf(pod.id))?.status?.phase, "Running");
  });
  const source = { kind: "container", id: `none-${label}` } as const;
  await assert.rejects(
    kubernetesEngine.start(podSpec("cat", { source })),
    (error) => isSandboxError(error, "GUEST_NOT_FOUND"),
  );
});

clusterTest("what a cluster cannot do is refused", async () => {
  const rights = podSpec("").rights;
  for (
    const change of [
      { rights: { ...rights, read: { "/mnt/a": "/srv" } } },
      { rights: { ...rights, write: { "/mnt/a": "/srv" } } },
      { source: { kind: "dockerfile", path: "Dockerfile" } },
    ] as const
  ) {
    await assert.rejects(
      kubernetesEngine.start(podSpec("cat", change)),
      (error) =>
        isSandboxError(error, "UNSUPPORTED") &&
        /docker, podman/.test(error.message),
    );
  }
  await assert.rejects(
    kubernetesEngine.start(podSpec("cat", {
      podManifest: { spec: { tolerations: [{ operatr: "x" }] } },
    })),
    (error) =>
      isSandboxError(error, "INVALID_OPTION") && /operatr/.test(error.message),
  );
  await assert.rejects(
    kubernetesEngine.start(podSpec("cat", { kubeNamespace: "no-such-space" })),
    (error) =>
      isSandboxError(error, "INVALID_OPTION") &&
      /no-such-space/.test(error.message),
  );
});
