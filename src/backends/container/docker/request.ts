import { resolve } from "node:path";
import { invalid } from "../../../check.ts";
import { SandboxError } from "../../../errors.ts";
import type { BoxFolder, BoxRights, BoxSpec } from "../box.ts";
import type { Inspected } from "./api.ts";
import type { EngineName } from "./endpoint.ts";
import { checkRuntimeConfigs } from "./runtime_configs.ts";

/** Who runs code in a container: nobody that an image knows, and within the range that rootless engines have. */
const _uid = 65_532;

const _mib = 1_048_576;

/** The least memory that engines start a container with, in MiB. */
const _leastMemoryMb = 8;

/** Shared memory of programs, in MiB; it counts as the container's memory. */
const _shmMb = 64;

/** What is the same for every container of a process. */
export interface Frame {
  /** The engine. */
  readonly engine: EngineName;
  /** The label that names its owner. */
  readonly owner: string;
  /** A volume for each folder that is one and no plain file system in memory, by the folder. */
  readonly volumes: ReadonlyMap<string, string>;
  /** Folders in which the image would keep data on the disk, and which are covered instead. */
  readonly covered: readonly string[];
}

/** Who the code is: `uid:gid`. */
export function userOf({ root }: BoxRights): string {
  return root ? "0:0" : `${_uid}:${_uid}`;
}

/** Options of a file system in memory as docker mounts it, or a volume of podman's. */
export function mountOptions(
  folder: BoxFolder,
  rights: BoxRights,
  as: "tmpfs" | "plain" | "volume",
): string {
  const uid = rights.root ? 0 : _uid;
  const { sizeMb, files, executable } = folder;
  const common = ["nosuid", "nodev", executable ? "exec" : "noexec"];
  // Podman knows neither owners nor a number of files of its tmpfs.
  if (as === "plain") {
    common.push(`size=${sizeMb}m`, "mode=1777", "notmpcopyup");
    return common.join(",");
  }
  // Podman takes the size of a volume for a quota of the disk.
  common.push(
    as === "volume" ? `nr_blocks=${sizeMb * 256}` : `size=${sizeMb}m`,
  );
  if (files !== null) common.push(`nr_inodes=${files + 1}`);
  common.push("mode=0700", `uid=${uid}`, `gid=${uid}`);
  return common.join(",");
}

/** The body of the request that creates a box; everything that is not opened by a right is shut. */
export function creationBody(
  spec: BoxSpec,
  image: string,
  { engine, owner, volumes, covered }: Frame,
): Record<string, unknown> {
  const { rights, limits, folders } = spec;
  const extra = checkRuntimeConfigs(engine, spec.runtimeConfigs, rights);
  if (limits.memoryMb < _leastMemoryMb) {
    throw invalid(
      "limits.memoryMb",
      `it is ${limits.memoryMb}, and a container needs ${_leastMemoryMb}`,
      "Give more.",
    );
  }
  const tmpfs: Record<string, string> = {};
  for (const folder of folders) {
    if (volumes.has(folder.path)) continue;
    const as = engine === "podman" ? "plain" : "tmpfs";
    tmpfs[folder.path] = mountOptions(folder, rights, as);
  }
  for (const path of _shut(engine, rights, covered)) {
    tmpfs[path] ??= "ro,nosuid,nodev,noexec,size=64k";
  }
  const env = { HOME: "/tmp", ...spec.env };
  const network = rights.network ? {} : { NetworkMode: "none" };
  const shm = extra.host.ShmSize === undefined
    ? { ShmSize: _shmMb * _mib }
    : {};
  return {
    // An engine's own network that leads nowhere costs as much as all the rest of a start.
    ...!rights.network && engine === "docker" && { NetworkDisabled: true },
    ...extra.top,
    Image: image,
    ..._program(engine, spec.command),
    Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    WorkingDir: spec.workdir,
    User: userOf(rights),
    Labels: {
      ...extra.labels,
      "mote.owner": owner,
      "mote.purpose": spec.purpose,
    },
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Tty: false,
    // An image's own check would run its programs beside the code. Podman would have the system call it for none too.
    ...engine === "docker" && { Healthcheck: { Test: ["NONE"] } },
    StopTimeout: 0,
    HostConfig: {
      ...shm,
      ...network,
      ...extra.host,
      Privileged: false,
      ReadonlyRootfs: !rights.writableRoot,
      CapDrop: ["ALL"],
      CapAdd: [...rights.capabilities],
      SecurityOpt: rights.newPrivileges ? [] : ["no-new-privileges"],
      Memory: limits.memoryMb * _mib,
      MemorySwap: limits.memoryMb * _mib,
      NanoCpus: Math.round(limits.cpus * 1e9),
      PidsLimit: limits.processes,
      OomKillDisable: false,
      IpcMode: "private",
      // Nothing that code prints reaches a file of the engine's.
      LogConfig: { Type: "none", Config: {} },
      RestartPolicy: { Name: "no" },
      AutoRemove: false,
      Init: false,
      Ulimits: [
        { Name: "core", Soft: 0, Hard: 0 },
        ...extra.host.Ulimits as unknown[] ?? [],
      ],
      Tmpfs: tmpfs,
      Mounts: [
        ..._binds(rights.read, true),
        ..._binds(rights.write, false),
        ...[...volumes].map(([path, name]) => ({
          Type: "volume",
          Source: name,
          Target: path,
          VolumeOptions: { NoCopy: true },
        })),
      ],
    },
  };
}

/** What runs, in place of an image's own entry point. */
function _program(
  engine: EngineName,
  command: readonly string[],
): Record<string, unknown> {
  // Where an empty one is heeded, an image that is made from the container has none either.
  return engine === "docker"
    ? { Entrypoint: [], Cmd: [...command] }
    : { Entrypoint: command.slice(0, 1), Cmd: command.slice(1) };
}

/** Folders that could be written to although nobody asked for them. */
function _shut(
  engine: EngineName,
  { writableRoot }: BoxRights,
  covered: readonly string[],
): readonly string[] {
  if (writableRoot) return [];
  // Podman makes a read-only root bearable with places of any size.
  return engine === "podman"
    ? ["/run", "/tmp", "/var/tmp", ...covered]
    : covered;
}

function _binds(
  folders: Readonly<Record<string, string>>,
  readOnly: boolean,
): Record<string, unknown>[] {
  return Object.entries(folders).map(([target, source]) => ({
    Type: "bind",
    Source: resolve(source),
    Target: target,
    ReadOnly: readOnly,
    // What is mounted below would not be read-only with it.
    BindOptions: { Propagation: "rprivate", NonRecursive: readOnly },
  }));
}

/** The runtime that was asked for. */
export function runtimeOf({ runtimeConfigs }: BoxSpec): unknown {
  return (runtimeConfigs.HostConfig as { Runtime?: unknown } | undefined)
    ?.Runtime;
}

/** Processors, however the engine counts them. */
function _cpus(made: NonNullable<Inspected["HostConfig"]>): number {
  const { NanoCpus, CpuQuota, CpuPeriod } = made;
  return NanoCpus ? NanoCpus / 1e9 : (CpuQuota || 0) / (CpuPeriod || 100_000);
}

/** Throws when the engine made something else than it was asked for. */
export function checkMade(
  spec: BoxSpec,
  engine: EngineName,
  { HostConfig: made = {} }: Inspected,
): void {
  const { rights, limits } = spec;
  const runtime = runtimeOf(spec);
  const memory = limits.memoryMb * _mib;
  const lacking = [
    made.Memory === memory ? "" : "limits.memoryMb",
    made.MemorySwap === memory ? "" : "limits.memoryMb together with swap",
    Math.abs(_cpus(made) - limits.cpus) < 0.01 ? "" : "limits.cpus",
    made.PidsLimit === limits.processes ? "" : "limits.processes",
    made.ReadonlyRootfs === !rights.writableRoot ? "" : "a read-only root",
    made.Privileged === false ? "" : "no privileges",
    rights.network || made.NetworkMode === "none" ? "" : "no network",
    runtime === undefined || made.Runtime === runtime
      ? ""
      : `the runtime ${JSON.stringify(runtime)}`,
  ].filter((one) => one !== "");
  if (lacking.length > 0) throw cannotHold(engine, lacking.join(", "));
}

/** The error for a limit that an engine would silently not hold. */
export function cannotHold(engine: EngineName, what: string): SandboxError {
  return new SandboxError(
    "BACKEND_UNAVAILABLE",
    `Cannot start a container: ${engine} here cannot hold ${what}. Use an engine with all controllers of cgroups; for a rootless one that is cgroup v2 with delegation by systemd.`,
  );
}
