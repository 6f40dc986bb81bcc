import type { Readable } from "node:stream";

/** Every call can be given up. */
interface Call {
  readonly abortSignal: AbortSignal;
}

/** How a container is, as engines report it. */
export interface State {
  readonly Status?: string;
  readonly Running?: boolean;
  readonly Paused?: boolean;
  readonly OOMKilled?: boolean;
  readonly ExitCode?: number;
  readonly Error?: string;
}

/** What an engine says of a container. */
export interface Inspected {
  /** Its identifier. */
  readonly Id: string;
  /** Hash of its image. */
  readonly Image: string;
  readonly State: State;
  readonly Config: { readonly User?: string };
  /** How it is limited. */
  readonly HostConfig?: {
    readonly Memory?: number;
    readonly MemorySwap?: number;
    readonly NanoCpus?: number;
    readonly CpuQuota?: number;
    readonly CpuPeriod?: number;
    readonly PidsLimit?: number | null;
    readonly ReadonlyRootfs?: boolean;
    readonly Privileged?: boolean;
    readonly NetworkMode?: string;
    readonly Runtime?: string;
  };
  /** What is mounted. */
  readonly Mounts?: readonly {
    readonly Type?: string;
    readonly Destination?: string;
    readonly Name?: string;
  }[];
}

/** What an engine says of itself. */
export interface Info {
  readonly OSType?: string;
  readonly MemoryLimit?: boolean;
  readonly SwapLimit?: boolean;
  readonly CpuCfsQuota?: boolean;
  readonly PidsLimit?: boolean;
  readonly CgroupVersion?: string;
  readonly SecurityOptions?: readonly string[] | null;
  readonly Rootless?: boolean;
  readonly Architecture?: string;
  readonly DefaultRuntime?: string;
}

/** Of an image, what its containers run. */
export interface ImageConfig {
  readonly Entrypoint?: readonly string[] | string | null;
  readonly Cmd?: readonly string[] | string | null;
  readonly User?: string;
  readonly WorkingDir?: string;
}

type Labels = Readonly<Record<string, string>> | null | undefined;

/** The part of dockerode that is used; its published types lack the ways to give up a call. */
export interface EngineApi {
  readonly modem: {
    dial(
      options: Record<string, unknown>,
      answer: (error: unknown, stream: unknown) => void,
    ): void;
  };
  info(call: Call): Promise<Info>;
  version(call: Call): Promise<{ Version?: string; ApiVersion?: string }>;
  createContainer(
    options: Call & { _query: unknown; _body: unknown },
  ): Promise<{ readonly id: string }>;
  listContainers(
    options: Call & { all: boolean; filters: string },
  ): Promise<{
    Id: string;
    Names: string[];
    Labels: Record<string, string>;
    State: string;
    Created: number;
  }[]>;
  listVolumes(
    options: Call & { filters: string },
  ): Promise<{ Volumes?: { Name: string; Labels: Labels }[] | null }>;
  listImages(
    options: Call & { filters: string },
  ): Promise<{ Id: string; RepoTags?: string[] | null; Labels: Labels }[]>;
  createVolume(options: Call & Record<string, unknown>): Promise<unknown>;
  createImage(
    auth: unknown,
    options: Call & { fromImage: string },
  ): Promise<Readable>;
  buildImage(
    context: Readable,
    options: Call & Record<string, unknown>,
  ): Promise<Readable>;
  getContainer(id: string): {
    inspect(call: Call): Promise<Inspected>;
    start(call: Call): Promise<unknown>;
    rename(options: Call & { name: string }): Promise<unknown>;
    remove(options: Call & { force: boolean; v: boolean }): Promise<unknown>;
    commit(options: Call & Record<string, unknown>): Promise<unknown>;
    exec(
      options: Call & Record<string, unknown>,
    ): Promise<{ readonly id: string }>;
  };
  getExec(id: string): { inspect(call: Call): Promise<{ Running: boolean }> };
  getVolume(name: string): { remove(call: Call): Promise<unknown> };
  getImage(name: string): {
    inspect(call: Call): Promise<{ Config?: ImageConfig | null }>;
    tag(options: Call & { repo: string; tag: string }): Promise<unknown>;
    remove(call: Call): Promise<unknown>;
  };
}
