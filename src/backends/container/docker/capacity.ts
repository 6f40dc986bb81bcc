import type { BackendStatus } from "../../backend.ts";
import type { Info } from "./api.ts";
import type { Client } from "./client.ts";
import { cannotHold } from "./request.ts";

/** The oldest API that has what a box needs. */
const _oldestApi = [1, 40] as const;

const _controls: readonly [keyof Info, string][] = [
  ["MemoryLimit", "a limit of memory"],
  ["SwapLimit", "a limit of swap"],
  ["CpuCfsQuota", "a limit of processors"],
  ["PidsLimit", "a limit of processes"],
];

function _options(info: Info): readonly string[] {
  return info.SecurityOptions ?? [];
}

function _filtered(info: Info): boolean {
  return _options(info).some((one) =>
    one.startsWith("name=seccomp") && !one.includes("profile=unconfined")
  );
}

/** Throws when an engine cannot hold what every box is promised. */
export async function checkCapacity(
  client: Client,
  ownRuntime: boolean,
): Promise<void> {
  const action = "start a container";
  const info = await client.bounded(
    { action, timeMs: 10_000 },
    (abortSignal) => client.docker.info({ abortSignal }),
  ).catch((error) => {
    throw client.fault(action, error);
  });
  const lacking = _controls.filter(([key]) => info[key] === false)
    .map(([, what]) => what);
  if (lacking.length > 0) throw cannotHold(client.engine, lacking.join(", "));
  // Another runtime has a kernel of its own in place of the filter.
  if (!_filtered(info) && !ownRuntime) {
    throw cannotHold(client.engine, "a filter of system calls (seccomp)");
  }
}

/** Whether an engine answers, and what it is. */
export async function statusOfEngine(client: Client): Promise<BackendStatus> {
  const action = `use ${client.engine}`;
  try {
    const [version, info] = await client.bounded(
      { action, timeMs: 5_000 },
      (abortSignal) =>
        Promise.all([
          client.docker.version({ abortSignal }),
          client.docker.info({ abortSignal }),
        ]),
    );
    return _status(client, version, info);
  } catch (error) {
    const fault = client.fault(action, error) as Error;
    return { available: false, reason: fault.message };
  }
}

function _status(
  { engine, endpoint }: Client,
  version: { Version?: string; ApiVersion?: string },
  info: Info,
): BackendStatus {
  const no = (state: string, cure: string) => ({
    available: false,
    reason: `Cannot use ${engine}: ${state}. ${cure}.`,
  });
  const [major = 0, minor = 0] = (version.ApiVersion ?? "").split(".")
    .map(Number);
  const [oldestMajor, oldest] = _oldestApi;
  if (major < oldestMajor || (major === oldestMajor && minor < oldest)) {
    const state = `its API is ${version.ApiVersion}`;
    const cure = `Update it; the oldest that will do is ${
      _oldestApi.join(".")
    }`;
    return no(state, cure);
  }
  if ((info.OSType ?? "linux").toLowerCase() !== "linux") {
    const cure = "Switch it to Linux containers";
    return no(`it runs containers of ${info.OSType}`, cure);
  }
  const rootless = info.Rootless === true ||
    _options(info).includes("name=rootless");
  const lacking = _controls.filter(([key]) => info[key] === false)
    .map(([, what]) => what);
  if (lacking.length > 0) {
    const cure =
      "Use cgroup v2 with all controllers delegated, or an engine that is not rootless";
    return no(`it cannot hold ${lacking.join(", ")}`, cure);
  }
  return {
    available: true,
    reason: `${engine} ${version.Version} answers at ${endpoint.from}`,
    details: {
      version: version.Version,
      apiVersion: version.ApiVersion,
      architecture: info.Architecture,
      runtime: info.DefaultRuntime,
      cgroupVersion: info.CgroupVersion,
      seccomp: _filtered(info),
      rootless,
    },
  };
}
