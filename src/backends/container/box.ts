import type { SandboxErrorCode } from "../../errors.ts";
import type { Progress } from "../../result.ts";
import type { BackendStatus } from "../backend.ts";

/** Bytes to and from the main process of a box. */
export interface Channel {
  /** Its standard output; ends when the process or the connection does, and never throws. */
  readonly output: AsyncIterable<Uint8Array>;
  /** Its standard error as text, the last 4 KiB of it: what a shell says when it cannot start the agent. */
  complaint(): string;
  /** Writes to its standard input; resolves when more may be written, rejects when the connection is gone. */
  write(bytes: Uint8Array): Promise<void>;
  /** Lets the connection keep the process alive, as it does from the start; for as long as an answer is waited for. */
  ref?(): void;
  /** Lets the process end although the connection is open; for as long as nothing goes on. */
  unref?(): void;
  /** Ends the connection; may be called again. */
  close(): void;
}

/** What became of a box whose channel ended without being asked to. */
export interface Loss {
  /** The code of the error to throw. */
  readonly code: SandboxErrorCode;
  /** What happened, as the middle part of a message: "the container was removed from outside". */
  readonly state: string;
}

/** A container or pod that runs, and whose main process is ours. */
export interface Box {
  /** The engine's identifier of it, or the pod's name. */
  readonly id: string;
  /** Hash or reference of its image, as the engine says it. */
  readonly imageId: string;
  /** To the main process. */
  readonly channel: Channel;
  /** Whether the input of its spec is on its way; else who started it sends it. */
  readonly fed?: boolean;
  /** Whether the main process is the first of a process namespace of its own, so that its end is everybody's. */
  readonly alone: boolean;
  /** Asks the engine what became of it; takes 5 s at most. */
  lost(): Promise<Loss>;
  /** Ends all its processes and removes it, or lets go of one that was there before; may be called again. Resolves when it is gone. */
  remove(): Promise<void>;
  /** Keeps it as an image; absent where the engine cannot. Resolves to the image's name. */
  commit?(): Promise<string>;
}

/** What a box may do beyond nothing; every one is a right that was given by name. */
export interface BoxRights {
  /** Has the engine's own network. */
  readonly network: boolean;
  /** Folders of the host by where the box has them, read-only. */
  readonly read: Readonly<Record<string, string>>;
  /** Folders of the host by where the box has them, writable. */
  readonly write: Readonly<Record<string, string>>;
  /** Runs as root. */
  readonly root: boolean;
  /** May write to the image's own folders. */
  readonly writableRoot: boolean;
  /** Linux capabilities that it keeps, without CAP_, such as "NET_BIND_SERVICE". */
  readonly capabilities: readonly string[];
  /** Programs may gain privileges by setuid. */
  readonly newPrivileges: boolean;
}

/** What a box may use up. */
export interface BoxLimits {
  /** Memory together with the workspace, in MiB. */
  readonly memoryMb: number;
  /** Processors, in fractions. */
  readonly cpus: number;
  /** Processes and threads. */
  readonly processes: number;
  /** Size of the workspace, in MiB. */
  readonly workspaceMb: number;
  /** Files in the workspace. */
  readonly workspaceFiles: number;
}

/** A folder in memory that every box has. */
export interface BoxFolder {
  /** Where it is. */
  readonly path: string;
  /** Its size, in MiB. */
  readonly sizeMb: number;
  /** Files and directories in it at most; null is no limit of its own. */
  readonly files: number | null;
  /** Whether programs in it may be run. */
  readonly executable: boolean;
}

/** What to start. */
export interface BoxSpec {
  /** Where the box comes from. */
  readonly source:
    | { readonly kind: "image"; readonly image: string }
    | { readonly kind: "dockerfile"; readonly path: string }
    | { readonly kind: "container"; readonly id: string };
  /** Its main process; standard input stays open, there is no terminal. */
  readonly command: readonly string[];
  /** What its main process reads first. An engine may send it while the box starts, and says so with `fed`. */
  readonly input?: Uint8Array | undefined;
  /** Working directory of the main process: there in every image. */
  readonly workdir: string;
  /** Environment of the main process. */
  readonly env: Readonly<Record<string, string>>;
  /** Folders in memory: the workspace, libraries, /tmp and the agent's own. */
  readonly folders: readonly BoxFolder[];
  /** What it may do. */
  readonly rights: BoxRights;
  /** What it may use up. */
  readonly limits: BoxLimits;
  /** Passed on to the engine, after the engine's own check. */
  readonly runtimeConfigs: Readonly<Record<string, unknown>>;
  /** What it is for, as a label. */
  readonly purpose: "session" | "installer";
  /** Kubernetes: where the pod goes. */
  readonly kubeNamespace?: string | undefined;
  /** Kubernetes: what the pod is made from. */
  readonly podManifest?: Readonly<Record<string, unknown>> | undefined;
  /** Keeps an image that was built from a Dockerfile. */
  readonly keepTemplate: boolean;
  /** Cancels pulling, building and starting; nothing is left behind. */
  readonly signal?: AbortSignal | undefined;
  /** Is told how far pulling and building have come. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** What provides boxes: a Docker or Podman service, or a cluster. */
export interface ContainerEngine {
  /** Its name. */
  readonly name: "docker" | "podman" | "kubernetes";
  /** Whether a box without the network certainly has none; where not, the agent takes sockets away from code. */
  readonly cutsNetwork: boolean;
  /** Whether folders have a limit of files. */
  readonly countsFiles: boolean;
  /** Whether it answers, and what it is; takes 5 s at most and starts nothing. */
  probe(): Promise<BackendStatus>;
  /** Starts a box. Also reaps, once per process and in the background, what a crashed process of ours left there. */
  start(spec: BoxSpec): Promise<Box>;
}
