import assert from "node:assert/strict";
import { test } from "node:test";
import { isSandboxError } from "../../../errors.ts";
import type { BoxRights, BoxSpec } from "../box.ts";
import { planPod } from "./pod.ts";

const none: BoxRights = {
  network: false,
  read: {},
  write: {},
  root: false,
  writableRoot: false,
  capabilities: [],
  newPrivileges: false,
};

function spec(change: Partial<BoxSpec> = {}): BoxSpec {
  return {
    source: { kind: "image", image: "python:3" },
    command: ["agent"],
    workdir: "/",
    env: { A: "1" },
    folders: [
      { path: "/sandbox", sizeMb: 64, files: 100, executable: true },
      { path: "/tmp", sizeMb: 32, files: null, executable: true },
    ],
    rights: none,
    limits: {
      memoryMb: 256,
      cpus: 0.5,
      processes: 10,
      workspaceMb: 64,
      workspaceFiles: 100,
    },
    runtimeConfigs: {},
    purpose: "session",
    keepTemplate: false,
    ...change,
  };
}

// deno-lint-ignore no-explicit-any -- a manifest, as the API server gets it
function made(change: Partial<BoxSpec> = {}): any {
  return planPod(spec(change)).manifest("name", "owner");
}

test("what is not said is safe", () => {
  const { spec: pod, metadata } = made();
  assert.equal(pod.automountServiceAccountToken, false);
  assert.equal(pod.enableServiceLinks, false);
  assert.equal(pod.restartPolicy, "Never");
  assert.equal(pod.dnsPolicy, "None");
  assert.equal(pod.hostNetwork, undefined);
  assert.equal(metadata.labels["mote.sandbox/network"], "none");
  const { runAsUser, runAsGroup, ...context } = pod.securityContext;
  assert.ok(runAsUser >= 1_000_000 && runAsGroup === runAsUser);
  assert.deepEqual(context, {
    runAsNonRoot: true,
    seccompProfile: { type: "RuntimeDefault" },
  });
  const [main, ...others] = pod.containers;
  assert.deepEqual(others, []);
  assert.deepEqual(main.securityContext, {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    privileged: false,
    capabilities: { drop: ["ALL"] },
  });
  assert.deepEqual(main.resources, {
    requests: { memory: "128Mi", cpu: "50m", "ephemeral-storage": "0" },
    limits: { memory: "256Mi", cpu: "500m", "ephemeral-storage": "2Gi" },
  });
  assert.equal(main.command.at(-1), "agent");
  assert.deepEqual(pod.volumes[0].emptyDir, {
    medium: "Memory",
    sizeLimit: "64Mi",
  });
});

test("Kubernetes replaces nothing in commands and environment", () => {
  const [main] = made({
    command: ["sh", "-c", "echo $$ $(A)"],
    env: { B: "$(A)" },
  }).spec.containers;
  assert.equal(main.command.at(-1), "echo $$$$ $$(A)");
  assert.deepEqual(main.env, [{ name: "B", value: "$$(A)" }]);
});

test("no two pods have the same user", () => {
  const users = Array.from(
    { length: 50 },
    () => made().spec.securityContext.runAsUser,
  );
  assert.equal(new Set(users).size, 50);
});

test("a manifest and runtimeConfigs are merged", () => {
  const { spec: pod, metadata } = made({
    podManifest: {
      kind: "Pod",
      metadata: { name: "mine", labels: { team: "a" } },
      spec: {
        tolerations: [{ operator: "Exists" }],
        volumes: [{ name: "data", configMap: { name: "tables" } }],
        containers: [{
          name: "code",
          image: "own:2",
          env: [{ name: "A", value: "0" }, { name: "B", value: "2" }],
          volumeMounts: [{ name: "data", mountPath: "/data" }],
          resources: { limits: { "example.com/gpu": 1 } },
        }, { name: "beside", image: "proxy:1", command: ["proxy"] }],
      },
    },
    runtimeConfigs: {
      nodeName: "n1",
      runtimeClassName: "gvisor",
      annotations: { note: "x" },
      resources: { requests: { memory: "10Mi" } },
    },
  });
  assert.deepEqual(metadata.labels.team, "a");
  assert.equal(metadata.annotations.note, "x");
  assert.equal(pod.nodeName, "n1");
  assert.equal(pod.runtimeClassName, "gvisor");
  const [main, beside] = pod.containers;
  assert.equal(main.name, "code");
  assert.equal(main.image, "own:2");
  assert.deepEqual(main.env, [
    { name: "B", value: "2" },
    { name: "A", value: "1" },
  ]);
  assert.equal(main.resources.requests.memory, "10Mi");
  assert.equal(main.resources.limits["example.com/gpu"], 1);
  assert.equal(main.volumeMounts.length, 3);
  assert.deepEqual(beside.command, ["proxy"]);
  assert.equal(beside.securityContext.readOnlyRootFilesystem, true);
  assert.deepEqual(beside.securityContext.capabilities, { drop: ["ALL"] });
});

test("rights open what they name", () => {
  const { spec: pod, metadata } = made({
    rights: {
      ...none,
      network: true,
      root: true,
      writableRoot: true,
      newPrivileges: true,
      capabilities: ["NET_BIND_SERVICE"],
    },
  });
  assert.equal(pod.dnsPolicy, undefined);
  assert.equal(metadata.labels["mote.sandbox/network"], "open");
  assert.equal(pod.securityContext.runAsUser, 0);
  assert.equal(pod.securityContext.runAsNonRoot, false);
  assert.deepEqual(pod.containers[0].securityContext, {
    allowPrivilegeEscalation: true,
    readOnlyRootFilesystem: false,
    privileged: false,
    capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] },
  });
});

function refuses(change: Partial<BoxSpec>, name: string): void {
  assert.throws(
    () => planPod(spec(change)),
    (error) =>
      isSandboxError(error, "INVALID_OPTION") && error.message.includes(name),
    name,
  );
}

/** A part of a manifest that is refused, and the option that the error names. */
const weak: readonly [pod: unknown, container: unknown, name: string][] = [
  [{ hostNetwork: true }, {}, "spec.hostNetwork"],
  [{ hostPID: true }, {}, "spec.hostPID"],
  [{ hostIPC: true }, {}, "spec.hostIPC"],
  [{ shareProcessNamespace: true }, {}, "spec.shareProcessNamespace"],
  [{ automountServiceAccountToken: true }, {}, "automountServiceAccountToken"],
  [{ enableServiceLinks: true }, {}, "enableServiceLinks"],
  [{ hostUsers: true }, {}, "hostUsers"],
  [{ dnsPolicy: "Default" }, {}, "dnsPolicy"],
  [{ restartPolicy: "Always" }, {}, "restartPolicy"],
  [{ volumes: [{ name: "h", hostPath: { path: "/" } }] }, {}, "hostPath"],
  [{ volumes: [{ name: "n", nfs: {} }] }, {}, "nfs"],
  [{ volumes: [{ name: "mote-0", emptyDir: {} }] }, {}, "volumes[0].name"],
  [
    {
      volumes: [{
        name: "t",
        projected: { sources: [{ serviceAccountToken: {} }] },
      }],
    },
    {},
    "serviceAccountToken",
  ],
  [{ securityContext: { runAsUser: 0 } }, {}, "runAsUser"],
  [{ securityContext: { runAsNonRoot: false } }, {}, "runAsNonRoot"],
  [{ securityContext: { supplementalGroups: [0] } }, {}, "supplementalGroups"],
  [{ securityContext: { sysctls: [] } }, {}, "sysctls"],
  [
    { securityContext: { seccompProfile: { type: "Unconfined" } } },
    {},
    "seccompProfile.type",
  ],
  [
    { securityContext: { seLinuxOptions: { type: "spc_t" } } },
    {},
    "seLinuxOptions.type",
  ],
  [{ ephemeralContainers: [] }, {}, "ephemeralContainers"],
  [{ somethingNew: 1 }, {}, "somethingNew"],
  [
    { initContainers: [{ securityContext: { privileged: true } }] },
    {},
    "initContainers[0].securityContext.privileged",
  ],
  [{}, { securityContext: { privileged: true } }, "privileged"],
  [{}, { securityContext: { allowPrivilegeEscalation: true } }, "allowPriv"],
  [{}, { securityContext: { readOnlyRootFilesystem: false } }, "readOnlyRoot"],
  [{}, { securityContext: { procMount: "Unmasked" } }, "procMount"],
  [
    {},
    { securityContext: { capabilities: { add: ["SYS_ADMIN"] } } },
    "capabilities.add",
  ],
  [{}, { securityContext: { runAsUser: 0 } }, "runAsUser"],
  [{}, { ports: [{ containerPort: 1, hostPort: 1 }] }, "hostPort"],
  [{}, { volumeDevices: [] }, "volumeDevices"],
  [{}, { command: ["sleep"] }, "command"],
  [{}, { tty: true }, "tty"],
  [{}, { lifecycle: {} }, "lifecycle"],
  [{}, { resources: { limits: { memory: "9Gi" } } }, "limits.memory"],
  [
    {},
    { volumeMounts: [{ name: "x", mountPath: "/sandbox/" }] },
    "volumeMounts",
  ],
  [
    {},
    {
      volumeMounts: [{
        name: "x",
        mountPath: "/x",
        mountPropagation: "Bidirectional",
      }],
    },
    "mountPropagation",
  ],
];

for (const [pod, container, name] of weak) {
  test(`podManifest: ${name} in ${JSON.stringify([pod, container])}`, () => {
    const manifest = { spec: { ...pod as object, containers: [container] } };
    refuses({ podManifest: manifest }, name);
  });
}

test("a container beside is held to the same", () => {
  const containers = [{}, { securityContext: { privileged: true } }];
  refuses({ podManifest: { spec: { containers } } }, "containers[1]");
});

test("runtimeConfigs that weaken the wall or are unknown are refused", () => {
  for (
    const [configs, name] of [
      [{ hostNetwork: true }, "hostNetwork"],
      [{ hostUsers: true }, "hostUsers"],
      [{ nodename: "x" }, "nodeName"],
      [{ mem_limit: "1g" }, "mem_limit"],
      [{ resources: { limits: { cpu: 4 } } }, "limits.cpus"],
      [{ labels: { "mote.sandbox/network": "open" } }, "mote.sandbox/network"],
      [{ annotations: { "dev.gvisor.flag.network": "host" } }, "dev.gvisor"],
      [{ activeDeadlineSeconds: 0 }, "activeDeadlineSeconds"],
      [{ startTimeoutSeconds: 1e9 }, "startTimeoutSeconds"],
      [{ imagePullPolicy: "Sometimes" }, "imagePullPolicy"],
    ] as const
  ) refuses({ runtimeConfigs: configs }, name);
});

test("capabilities without root would do nothing, and are refused", () => {
  const rights = { ...none, capabilities: ["NET_RAW"] };
  refuses({ rights }, "rights.capabilities");
});

test("two namespaces are refused", () => {
  const podManifest = { metadata: { namespace: "a" } };
  refuses({ podManifest, kubeNamespace: "b" }, "kubeNamespace");
});
