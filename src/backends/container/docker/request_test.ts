import assert from "node:assert/strict";
import { test } from "node:test";
import { SandboxError } from "../../../errors.ts";
import type { BoxRights, BoxSpec } from "../box.ts";
import { checkMade, creationBody } from "./request.ts";

const none: BoxRights = {
  network: false,
  read: {},
  write: {},
  root: false,
  writableRoot: false,
  capabilities: [],
  newPrivileges: false,
};

const spec: BoxSpec = {
  source: { kind: "image", image: "i" },
  command: ["sh"],
  workdir: "/",
  env: {},
  folders: [],
  rights: none,
  limits: {
    memoryMb: 64,
    cpus: 0.5,
    processes: 9,
    workspaceMb: 1,
    workspaceFiles: 1,
  },
  runtimeConfigs: {},
  purpose: "session",
  keepTemplate: false,
};

const frame = {
  engine: "docker",
  owner: "o",
  volumes: new Map<string, string>(),
  covered: [],
} as const;

// deno-lint-ignore no-explicit-any -- a request's body
const body = (more: Partial<BoxSpec>): any =>
  creationBody({ ...spec, ...more }, "i", frame);

function refused(runtimeConfigs: Record<string, unknown>, rights = none) {
  let error: unknown;
  try {
    body({ runtimeConfigs, rights });
  } catch (one) {
    error = one;
  }
  assert.ok(error instanceof SandboxError, JSON.stringify(runtimeConfigs));
  assert.equal(error.code, "INVALID_OPTION");
  assert.match(error.message, /^Cannot [^:]+: .+\. .+\.$/s);
  return error.message;
}

test("what would weaken the wall is refused, naming what opens it", () => {
  const host = (HostConfig: Record<string, unknown>) => ({ HostConfig });
  assert.match(refused(host({ Privileged: true })), /No right opens it/);
  assert.match(
    refused(host({ CapAdd: ["SYS_ADMIN"] })),
    /rights\.capabilities/,
  );
  assert.match(refused(host({ Binds: ["/:/host"] })), /rights\.read/);
  assert.match(refused(host({ Mounts: [] })), /rights\.read/);
  assert.match(refused(host({ SecurityOpt: [] })), /rights\.newPrivileges/);
  assert.match(
    refused(host({ ReadonlyRootfs: false })),
    /rights\.writableRoot/,
  );
  assert.match(refused(host({ NetworkMode: "bridge" })), /rights\.net/);
  assert.match(refused({ User: "root" }), /rights\.root/);
  for (
    const key of [
      "PidMode",
      "IpcMode",
      "UTSMode",
      "UsernsMode",
      "CgroupnsMode",
      "Devices",
      "DeviceRequests",
      "DeviceCgroupRules",
      "CgroupParent",
      "OomKillDisable",
      "OomScoreAdj",
      "PortBindings",
      "VolumesFrom",
      "GroupAdd",
      "MaskedPaths",
      "ReadonlyPaths",
      "LogConfig",
      "AutoRemove",
      "RestartPolicy",
      "Sysctls",
      "constructor",
      "__proto__x",
    ]
  ) {
    assert.match(refused(host({ [key]: "x" })), /runtimeConfigs\.HostConfig\./);
    assert.match(refused({ [key]: "x" }), /runtimeConfigs\./);
  }
  refused(host({ Ulimits: [{ Name: "core", Soft: -1, Hard: -1 }] }));
  refused({ NetworkDisabled: true });
  refused({ HostConfig: "x" });
  const networked = { ...none, network: true };
  for (const NetworkMode of ["host", "container:x", "", 5]) {
    assert.match(refused(host({ NetworkMode }), networked), /host's network/);
  }
});

test("what is harmless is passed on", () => {
  const runtimeConfigs = {
    Hostname: "h",
    Labels: { a: "b" },
    HostConfig: { Runtime: "runsc", ShmSize: 5, CpuShares: 7 },
  };
  const { HostConfig, Labels, Hostname } = body({ runtimeConfigs });
  assert.equal(HostConfig.Runtime, "runsc");
  assert.equal(HostConfig.ShmSize, 5);
  assert.equal(HostConfig.ReadonlyRootfs, true);
  assert.equal(Hostname, "h");
  assert.equal(Labels.a, "b");
  assert.equal(Labels["mote.owner"], "o");
  const rights = { ...none, network: true };
  const named = { HostConfig: { NetworkMode: "own" } };
  assert.equal(
    body({ rights, runtimeConfigs: named }).HostConfig.NetworkMode,
    "own",
  );
});

test("an engine that made something else is found out", () => {
  const made = {
    Id: "",
    Image: "",
    State: {},
    Config: {},
    HostConfig: {
      Memory: 64 << 20,
      MemorySwap: 64 << 20,
      NanoCpus: 5e8,
      PidsLimit: 9,
      ReadonlyRootfs: true,
      Privileged: false,
      NetworkMode: "none",
    },
  };
  checkMade(spec, "docker", made);
  for (
    const [key, value] of [
      ["Memory", 0],
      ["MemorySwap", -1],
      ["NanoCpus", 0],
      ["PidsLimit", null],
      ["ReadonlyRootfs", false],
      ["Privileged", true],
      ["NetworkMode", "host"],
    ]
  ) {
    const other = {
      ...made,
      HostConfig: { ...made.HostConfig, [String(key)]: value },
    };
    assert.throws(
      () => checkMade(spec, "docker", other),
      (error) =>
        error instanceof SandboxError && error.code === "BACKEND_UNAVAILABLE",
      String(key),
    );
  }
});
