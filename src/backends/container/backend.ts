import type { Language, ResolvedLimits } from "../../options.ts";
import type {
  Backend,
  Capabilities,
  ContainerSpec,
  OpenSpec,
} from "../backend.ts";
import { agentCommand, agentProgram, bringAgent } from "./agent/bootstrap.ts";
import { type AgentConfig, ownPlaces, type Places } from "./agent/client.ts";
import type { BoxFolder, BoxSpec, ContainerEngine } from "./box.ts";
import { checkImage } from "./check_image.ts";
import { Tunnels } from "./agent/tunnels.ts";
import { ContainerWall, type Manned } from "./wall.ts";

/** Languages that containers run, and those with a driver. */
export interface ContainerLanguages {
  /** All of them. */
  readonly all: readonly Language[];
  /** Those whose code can call tools and keep its state. */
  readonly driven: readonly Language[];
  /** Those that `install()` knows. */
  readonly install: readonly Language[];
}

const _all: readonly Language[] = [
  "python",
  "javascript",
  "typescript",
  "java",
  "cpp",
  "c",
  "go",
  "ruby",
  "r",
  "bash",
];

/** Every language that an engine of containers runs. */
export const containerLanguages: ContainerLanguages = {
  all: _all,
  driven: ["python", "javascript", "typescript"],
  install: _all,
};

/** Memory beside the guest's and the workspace's: the agent, page tables and what the kernel keeps for processes, in MiB. */
const _ownMb = 64;
const _tmpMbMin = 64;
const _librariesMbMin = 512;
const _runMb = 256;

/** A backend over what provides boxes. */
export function containerBackend(
  engine: ContainerEngine,
  languages: ContainerLanguages,
  places: Places = ownPlaces,
): Backend {
  const capabilities: Capabilities = Object.freeze<Capabilities>({
    languages: languages.all,
    interactive: languages.driven,
    install: languages.install,
    tools: languages.driven,
    cpuLimit: true,
    fileLimit: engine.countsFiles,
    // Its programs have sockets, which the host leads to what they may reach.
    http: [],
    network: engine.cutsNetwork,
    nativeLibraries: true,
    processes: true,
  });
  return {
    name: engine.name,
    capabilities,
    guests: "none",
    probe: () => engine.probe(),
    open: (spec) => _open(engine, places, spec),
  };
}

async function _open(
  engine: ContainerEngine,
  own: Places,
  spec: OpenSpec,
): Promise<ContainerWall> {
  const { container, limits } = spec;
  if (!container) throw new TypeError("a container backend needs a container");
  const program = await agentProgram(container.agent);
  const attached = container.containerId !== undefined;
  const places = attached ? _guestPlaces(container.workdir) : own;
  const command = agentCommand(program, places, attached);
  const config: Omit<AgentConfig, "alone"> = {
    newPrivileges: container.rights.newPrivileges === true,
    places,
    sockets: engine.cutsNetwork || container.rights.net === true,
    processes: engine.name === "kubernetes" ? limits.processes : 0,
  };
  const man = async (signal: AbortSignal | undefined): Promise<Manned> => {
    const box = await engine.start(
      _boxSpec(spec, container, places, command, program, signal),
    );
    try {
      const { alone } = box;
      const client = await bringAgent(
        box,
        program,
        { ...config, alone },
        attached,
        signal,
      );
      const manned = { box, client, tunnels: new Tunnels(client) };
      if (!container.skipEnvironmentSetup) {
        await checkImage(engine.name, manned, spec.lang, container);
      }
      return manned;
    } catch (error) {
      await box.remove().catch(() => {});
      throw error;
    }
  };
  const first = await man(spec.signal);
  return new ContainerWall({
    first,
    again: man,
    settings: {
      language: container.language,
      limits,
      tools: spec.tools,
      interactive: spec.interactive,
      workdir: container.workdir,
      places,
      env: spec.env,
      more: {},
    },
    onCommitted: container.commitContainer
      ? (image) => {
        const text = `kept the container as image ${image}`;
        spec.onProgress?.({ stage: "commit", done: 1, total: 1, text });
        spec.onCommitted?.(image);
      }
      : undefined,
  });
}

/** In a container of somebody else's: beside what is there, and gone afterwards, but for the workspace. */
function _guestPlaces(workdir: string): Places {
  const agent = `/tmp/.mote-${crypto.randomUUID()}`;
  return {
    sandbox: workdir,
    libraries: `${agent}/site-packages`,
    agent,
    run: `${agent}/run`,
    temporary: "/tmp",
  };
}

function _boxSpec(
  spec: OpenSpec,
  container: ContainerSpec,
  places: Places,
  command: readonly string[],
  input: Uint8Array,
  signal: AbortSignal | undefined,
): BoxSpec {
  const { rights, image, dockerfile, containerId } = container;
  return {
    source: containerId !== undefined
      ? { kind: "container", id: containerId }
      : dockerfile !== undefined
      ? { kind: "dockerfile", path: dockerfile }
      : { kind: "image", image },
    command,
    input,
    workdir: "/",
    env: {
      HOME: places.temporary,
      TMPDIR: places.temporary,
      LANG: "C.UTF-8",
      ...spec.env,
    },
    folders: _folders(spec.limits, places),
    rights: {
      network: rights.net === true,
      read: rights.read ?? {},
      write: rights.write ?? {},
      root: rights.root === true,
      writableRoot: rights.writableRoot === true,
      capabilities: rights.capabilities ?? [],
      newPrivileges: rights.newPrivileges === true,
    },
    limits: {
      memoryMb: spec.limits.memoryMb + spec.limits.workspaceMb + _ownMb,
      cpus: spec.limits.cpus ?? 1,
      processes: spec.limits.processes,
      workspaceMb: spec.limits.workspaceMb,
      workspaceFiles: spec.limits.workspaceFiles,
    },
    runtimeConfigs: container.runtimeConfigs,
    purpose: "session",
    kubeNamespace: container.kubeNamespace,
    podManifest: container.podManifest,
    keepTemplate: container.keepTemplate,
    signal,
    onProgress: spec.onProgress,
  };
}

function _folders(limits: ResolvedLimits, places: Places): BoxFolder[] {
  const { workspaceMb, workspaceFiles } = limits;
  return [
    {
      path: places.sandbox,
      sizeMb: workspaceMb,
      files: workspaceFiles,
      executable: true,
    },
    {
      path: places.libraries,
      sizeMb: Math.max(_librariesMbMin, workspaceMb),
      files: null,
      executable: true,
    },
    {
      path: places.temporary,
      sizeMb: Math.max(_tmpMbMin, workspaceMb),
      files: null,
      executable: true,
    },
    { path: places.agent, sizeMb: _runMb, files: null, executable: true },
  ];
}
