import type { SandboxErrorCode } from "../errors.ts";
import type { ContainerLanguage } from "../languages/language.ts";
import type {
  BackendChoice,
  BackendName,
  Language,
  ParsedOptions,
  ResolvedLimits,
  Rights,
} from "../options.ts";
import type { FileEntry, LimitName, Progress, Timings } from "../result.ts";

/** What a wall can do; what it cannot is refused with UNSUPPORTED. */
export interface Capabilities {
  /** Languages that it runs. */
  readonly languages: readonly Language[];
  /** Languages that can keep their state between runs. */
  readonly interactive: readonly Language[];
  /** Languages that `install()` knows. */
  readonly install: readonly Language[];
  /** Languages whose code can call tools of the host. */
  readonly tools: readonly Language[];
  /** Whether `limits.cpuMs` is counted. */
  readonly cpuLimit: boolean;
  /** Whether `limits.workspaceFiles` is held. */
  readonly fileLimit: boolean;
  /** Languages whose code can send HTTP requests through the host, if `rights.net` names where to. */
  readonly http: readonly Language[];
  /** Whether code can have sockets, to where `rights.net` names. */
  readonly network: boolean;
  /** Whether libraries may hold native code. */
  readonly nativeLibraries: boolean;
  /** Whether guest code can start processes. */
  readonly processes: boolean;
}

/** Capabilities of `wasm`, as far as they are fixed. */
export interface WasmCapabilities extends Capabilities {
  /** Always: time on the processor is counted. */
  readonly cpuLimit: true;
  /** Never: there are no sockets. */
  readonly network: false;
  /** Never: wheels have to be pure Python. */
  readonly nativeLibraries: false;
  /** Never: the guest is one process. */
  readonly processes: false;
}

/** Capabilities by the backend that was asked for. */
export type CapabilitiesOf<B extends BackendChoice> = B extends "wasm"
  ? WasmCapabilities
  : Capabilities;

/** Whether a backend can be used on this machine, and why. */
export interface BackendStatus {
  /** Whether a session would open. */
  available: boolean;
  /** What was found, or what stands in the way. */
  reason: string;
  /** More that the backend says of itself, such as the engine's version. */
  details?: Readonly<Record<string, unknown>>;
}

/** A guest image file. */
export interface GuestImage {
  /** Where it is, absolute. */
  readonly path: string;
  /** Hash of the file, in hex. */
  readonly sha256: string;
}

/** What a micro-VM boots. */
export type GuestSpec =
  | {
    /** The guest without an operating system; it runs the session's image. */
    readonly kind: "micro";
    /** Its program. */
    readonly elf: GuestImage;
  }
  | {
    /** A Linux root file system. */
    readonly kind: "linux";
    /** Its file. */
    readonly image: GuestImage;
    /** Modules that are imported before the snapshot. */
    readonly preload: readonly string[];
    /** Libraries it opens with: the list of their files. */
    readonly site?: GuestImage | undefined;
    /** Hosts of the network that it may reach. */
    readonly net: readonly string[];
    /** Folders of the host that it may read, absolute, by where it has them. */
    readonly mounts: Readonly<Record<string, string>>;
  }
  | {
    /** A Hyperlight guest of the user's. */
    readonly kind: "elf";
    /** Its file. */
    readonly elf: GuestImage;
  };

/** What the container backends are told beside the rest. */
export interface ContainerSpec {
  /** The program that is brought into every container. */
  readonly agent: GuestImage;
  /** How the language is run. */
  readonly language: ContainerLanguage;
  /** The image; the language's, unless the session names another. */
  readonly image: string;
  /** A Dockerfile to build it from instead. */
  readonly dockerfile?: string | undefined;
  /** A container that runs already. */
  readonly containerId?: string | undefined;
  /** What the code may reach. */
  readonly rights: Rights;
  /** Working directory of the code. */
  readonly workdir: string;
  /** Passed on to the engine. */
  readonly runtimeConfigs: Readonly<Record<string, unknown>>;
  /** Keeps an image that was built. */
  readonly keepTemplate: boolean;
  /** Keeps the container as an image at the end. */
  readonly commitContainer: boolean;
  /** Leaves out the check of the image. */
  readonly skipEnvironmentSetup: boolean;
  /** Kubernetes: the namespace. */
  readonly kubeNamespace?: string | undefined;
  /** Kubernetes: what the pod is made from. */
  readonly podManifest?: Readonly<Record<string, unknown>> | undefined;
}

/** What a backend is told when a session opens. */
export interface OpenSpec {
  /** The language. */
  readonly lang: Language;
  /** The guest image; null where the code itself is the guest. */
  readonly image: GuestImage | null;
  /** The guest around it, of a backend with machines. */
  readonly guest?: GuestSpec | undefined;
  /** More, for a backend of containers. */
  readonly container?: ContainerSpec | undefined;
  /** Whether a hypervisor that is itself emulated will do. */
  readonly acceptEmulated?: boolean | undefined;
  /** Where built things are kept, absolute. */
  readonly cacheDir: string;
  /** Whether the interpreter's state is kept between runs. */
  readonly interactive: boolean;
  /** Environment of the guest. */
  readonly env: Readonly<Record<string, string>>;
  /** Names of the tools. */
  readonly tools: readonly string[];
  /** Every limit. */
  readonly limits: ResolvedLimits;
  /** A wall of this backend whose files it takes over; that one may end its runs, and is closed by the caller. */
  readonly filesOf?: Wall | undefined;
  /** Cancels the opening. */
  readonly signal?: AbortSignal | undefined;
  /** Is told how far long work has come. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Is told the name of the image that the container was kept as. */
  readonly onCommitted?: ((image: string) => void) | undefined;
}

/** What the host answers to a call of a tool. */
export type ToolReply =
  | { readonly json: string }
  | { readonly error: "failed" | "input" | "limit"; readonly message: string };

/** One run, as a backend is asked for it. */
export interface RunRequest {
  /** The program. */
  readonly code: string | Uint8Array;
  /** Standard input. */
  readonly stdin: string | Uint8Array;
  /** Arguments after the program's name. */
  readonly args: readonly string[];
  /** Wall-clock limit in ms; null is the session's. */
  readonly timeMs: number | null;
  /** Ends the run. */
  readonly signal?: AbortSignal | undefined;
  /** Takes output as it comes; a promise holds the guest back. Without it the output is in the outcome. */
  readonly onOutput?:
    | ((stream: "stdout" | "stderr", bytes: Uint8Array) => void | Promise<void>)
    | undefined;
  /** Answers a call of the guest; never rejects. `signal` aborts when the run ends; `id` is the run's own for the call. */
  readonly onCall: (
    name: string,
    input: Uint8Array,
    signal: AbortSignal,
    id: number,
  ) => Promise<ToolReply>;
}

/** Why a run was ended. */
export interface RunFailure {
  /** The code of the error to throw. */
  readonly code: SandboxErrorCode;
  /** Its message. */
  readonly message: string;
  /** The call of a tool that the guest did not cope with. */
  readonly call?: number | undefined;
  /** The wall had to be opened anew: workspace and installed libraries are gone. */
  readonly replaced?: boolean | undefined;
}

/** What came out of a run; a run that was ended has a failure as well. */
export interface RunOutcome {
  /** What the program ended with. */
  readonly exitCode: number;
  /** Output, unless it was streamed. */
  readonly stdout: Uint8Array;
  /** Error output, unless it was streamed. */
  readonly stderr: Uint8Array;
  /** How long it took. */
  readonly timings: Timings;
  /** A limit that the code coped with. */
  readonly limitHit?: LimitName | undefined;
  /** Workspace paths of files that the run made or changed. */
  readonly changed?: readonly string[] | undefined;
  /** Set when the run was ended. */
  readonly failure?: RunFailure | undefined;
}

/** The two trees of a session that the host can write. */
export type FileRoot = "sandbox" | "site-packages";

/** What a write sets beside the bytes. */
export interface WriteOptions {
  /** Where to write; null starts the file anew. */
  readonly offset: number | null;
  /** Permission bits of a new file. */
  readonly mode?: number | undefined;
  /** When it was last written, in ms since 1970. */
  readonly mtimeMs?: number | undefined;
}

/** Files of a session; paths are relative to the root and clean. */
export interface FileStore {
  /** How many requests are worth making at a time; without it, one. */
  readonly parallel?: number;
  /** Writes bytes, 1 MiB at most. */
  write(path: string, bytes: Uint8Array, options: WriteOptions): Promise<void>;
  /** Reads bytes, 1 MiB at most. */
  read(
    path: string,
    offset: number,
    length: number,
  ): Promise<{ bytes: Uint8Array; eof: boolean }>;
  /** What a directory holds, sorted by path; links are not followed. */
  list(path: string, recursive: boolean): Promise<FileEntry[]>;
  /** One entry, links not followed; undefined when there is none. */
  stat(path: string): Promise<FileEntry | undefined>;
  /** Makes a directory and those above it. */
  mkdir(path: string): Promise<void>;
  /** Makes a link. */
  symlink(path: string, target: string): Promise<void>;
  /** Removes a file, or a directory with what is in it. */
  remove(path: string): Promise<void>;
}

/** A connection that a guest made to a port of its own, and that ends at the host. */
export interface Connection {
  /** What the guest sends; ends when it has sent everything, and never throws. */
  readonly input: AsyncIterable<Uint8Array>;
  /** Sends to the guest; resolves when more may be sent, rejects when the connection is gone. */
  write(bytes: Uint8Array): Promise<void>;
  /** Says that nothing more will be sent. */
  end(): void;
  /** Ends it both ways; may be called again. */
  close(): void;
}

/** An open wall with one guest behind it. */
export interface Wall {
  /** Hash of what runs behind it, in hex, where only the wall knows. */
  readonly imageSha256?: string | undefined;
  /** Runs a program; runs of one wall queue. Rejects only when it could not be tried. */
  run(request: RunRequest): Promise<RunOutcome>;
  /** The files behind the wall. */
  files(root: FileRoot): FileStore;
  /**
   * Makes it as new for another user: no file, library, process or state of the one before is left. Called while nothing
   * runs. Absent where that cannot be had for certain.
   */
  reset?(): Promise<void>;
  /**
   * Takes connections that the guest makes to 127.0.0.1 at this port, though it has no network; absent where there is no
   * way for them. They end with the wall.
   */
  serve?(port: number, take: (connection: Connection) => void): Promise<void>;
  /** Ends what runs and frees everything; may be called again. */
  close(): Promise<void>;
}

/** Who provides walls of one kind. */
export interface Backend {
  /** Its name; `memory` is the double for tests. */
  readonly name: BackendName | "memory";
  /** What it can do. */
  readonly capabilities: Capabilities;
  /** What it can do in a session with these options, where that depends on them. */
  readonly capabilitiesFor?: (options: ParsedOptions) => Capabilities;
  /** What it needs of the guest toolkit: nothing, images, or what a micro-VM boots. */
  readonly guests: "none" | "images" | "machines";
  /** Whether its walls with these options have `reset`; absent is never. */
  resets?(options: ParsedOptions): boolean;
  /** Whether it can be used on this machine. */
  probe(): Promise<BackendStatus>;
  /** Begins what every wall needs, so that it goes on while a session's options are worked out. */
  prepare?(): Promise<void>;
  /** Opens a wall. */
  open(spec: OpenSpec): Promise<Wall>;
}
