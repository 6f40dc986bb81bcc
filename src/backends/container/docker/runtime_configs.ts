import { invalid } from "../../../check.ts";
import type { BoxRights } from "../box.ts";
import type { EngineName } from "./endpoint.ts";

type Fields = Record<string, unknown>;

/** What may be said of a container beside what Mote says. */
export interface Extra {
  /** Keys of the request itself. */
  readonly top: Fields;
  /** Keys of HostConfig. */
  readonly host: Fields;
  /** Labels. */
  readonly labels: Readonly<Record<string, string>>;
}

const _freeTop = new Set(["Hostname", "Domainname"]);

const _freeHost = new Set([
  "Runtime",
  "ShmSize",
  "CpuShares",
  "CpusetCpus",
  "CpusetMems",
  "BlkioWeight",
  "BlkioWeightDevice",
  "BlkioDeviceReadBps",
  "BlkioDeviceReadIOps",
  "BlkioDeviceWriteBps",
  "BlkioDeviceWriteIOps",
  "MemoryReservation",
  "StorageOpt",
  "Ulimits",
]);

/** Needs the engine's own network, and is without effect where there is none. */
const _withNetwork = new Set([
  "Dns",
  "DnsOptions",
  "DnsSearch",
  "ExtraHosts",
  "NetworkMode",
]);

/** Where that is said instead. */
const _instead: Readonly<Record<string, string>> = {
  Binds: "Name the folders in rights.read or rights.write",
  CapAdd: "Name the capabilities in rights.capabilities",
  CapDrop: "All are dropped; keep some with rights.capabilities",
  Cmd: "Mote's own agent runs in it; give the code to session.run",
  CpuPeriod: "Set limits.cpus",
  CpuQuota: "Set limits.cpus",
  Entrypoint: "Mote's own agent runs in it; give the code to session.run",
  Env: "Set env",
  Image: "Set image",
  Memory: "Set limits.memoryMb",
  MemorySwap: "Set limits.memoryMb; there is no swap beyond it",
  Mounts: "Name the folders in rights.read or rights.write",
  NanoCpus: "Set limits.cpus",
  NanoCPUs: "Set limits.cpus",
  PidsLimit: "Set limits.processes",
  ReadonlyRootfs: "Set rights.writableRoot",
  SecurityOpt:
    "Set rights.newPrivileges to let programs gain privileges; no right opens the rest",
  Tmpfs: "Set limits.workspaceMb",
  User: "Set rights.root",
  Volumes: "Name the folders in rights.read or rights.write",
  WorkingDir: "Set workdir",
};

/** Sorts out what is passed on to the engine; refuses what would weaken the wall or contradict another option. */
export function checkRuntimeConfigs(
  engine: EngineName,
  configs: Readonly<Record<string, unknown>>,
  rights: BoxRights,
): Extra {
  const top: Fields = {};
  const host: Fields = {};
  const name = "runtimeConfigs";
  for (const [key, value] of Object.entries(configs)) {
    if (key === "HostConfig") {
      for (const [inner, of] of Object.entries(_fields(value, key))) {
        const where = `${name}.HostConfig.${inner}`;
        if (_withNetwork.has(inner)) _checkNetwork(inner, of, where, rights);
        else if (inner === "Runtime" && engine === "podman") {
          const cure =
            "Set runtime in the containers.conf of podman's service instead.";
          throw invalid(where, "podman does not heed it", cure);
        } else if (!_freeHost.has(inner)) throw _refused(inner, where, engine);
        host[inner] = inner === "Ulimits" ? _ulimits(of, where) : of;
      }
    } else if (key === "NetworkDisabled") {
      if (value !== false) {
        const cure = "Leave it out: there is no network unless rights.net";
        throw invalid(`${name}.${key}`, "it is not false", `${cure}.`);
      }
      top[key] = value;
    } else if (_freeTop.has(key)) top[key] = value;
    else if (key !== "Labels") throw _refused(key, `${name}.${key}`, engine);
  }
  return { top, host, labels: _labels(configs.Labels) };
}

function _fields(value: unknown, key: string): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Fields;
  }
  const cure = "Give an object with the engine's own names as keys.";
  throw invalid(`runtimeConfigs.${key}`, "it is no object", cure);
}

function _labels(value: unknown): Record<string, string> {
  if (value === undefined) return {};
  const labels = _fields(value, "Labels");
  for (const [key, text] of Object.entries(labels)) {
    const where = `runtimeConfigs.Labels.${key}`;
    if (typeof text !== "string") {
      throw invalid(where, "it is no text", "Give a string.");
    }
    if (key.startsWith("mote.")) {
      throw invalid(where, "such labels are Mote's own", "Take another name.");
    }
  }
  return labels as Record<string, string>;
}

function _checkNetwork(
  key: string,
  value: unknown,
  where: string,
  { network }: BoxRights,
): void {
  if (!network) {
    const state = "the container has no network of the engine";
    throw invalid(where, state, "Set rights.net to true as well.");
  }
  if (key !== "NetworkMode") return;
  if (
    typeof value === "string" && /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(value) &&
    value !== "host"
  ) return;
  const cure =
    "Give the name of a network of the engine; no right opens the host's network or another container's.";
  throw invalid(where, `it is ${JSON.stringify(value)}`, cure);
}

/** Limits of processes; never of dumps, which would land on the host. */
function _ulimits(value: unknown, where: string): unknown[] {
  const good = Array.isArray(value) &&
    value.every((one) => typeof one?.Name === "string" && one.Name !== "core");
  if (good) return value;
  const cure = 'Give a list such as [{ Name: "nofile", Soft: 64, Hard: 64 }].';
  throw invalid(where, "it is no list of limits, or sets that of core", cure);
}

function _refused(key: string, where: string, engine: EngineName): Error {
  const cure = _instead[key] ??
    `No right opens it; start a container yourself and give its containerId, or leave it out`;
  return invalid(where, `it is not passed on to ${engine}`, `${cure}.`);
}
