import {
  abortSignal,
  anything,
  boolean,
  bytesOrText,
  type Check,
  func,
  integer,
  invalid,
  list,
  number,
  object,
  oneOf,
  record,
  string,
} from "./check.ts";
import type { Progress } from "./result.ts";
import type { Tool } from "./tools.ts";

/** A wall that Mote knows. */
export type BackendName =
  | "wasm"
  | "hyperlight"
  | "docker"
  | "podman"
  | "kubernetes";

/** A wall, or the choice left to Mote. */
export type BackendChoice = "auto" | BackendName;

/** A language that Mote runs; `wasm` is any WASI preview 1 command module. */
export type Language =
  | "python"
  | "javascript"
  | "wasm"
  | "typescript"
  | "java"
  | "cpp"
  | "c"
  | "go"
  | "ruby"
  | "r"
  | "bash";

/** What one run may use up. Passing a limit ends the run, never the session. */
export interface Limits {
  /** Wall-clock time per run, in ms, tools and sleeping included. @default 30_000; 1 to 3_600_000 */
  timeMs?: number;
  /** Time on the processor per run, in ms. @default none; 1 to 3_600_000 */
  cpuMs?: number;
  /** Memory of the guest, in MiB. @default 256, in containers 1_024; 1 to 4_096, in containers 65_536 */
  memoryMb?: number;
  /** Processors of a container, in fractions. @default none, in containers 1; 0.01 to 256 */
  cpus?: number;
  /** Standard output and error together per run, in bytes. @default 8_388_608; 1 to 1_072_693_248 */
  outputBytes?: number;
  /** What happens to output past its limit: end the run, or cut and go on. @default "fail" */
  onOutputLimit?: "fail" | "truncate";
  /** Files of the session together, in MiB. @default 256; 1 to 4_096 */
  workspaceMb?: number;
  /** Number of files and directories of the session; `kubernetes` cannot limit it. @default 10_000; 1 to 1_000_000 */
  workspaceFiles?: number;
  /** Processes at a time, in containers with their threads. A `wasm` guest is one process and can start none, so any value holds. @default 1, in containers 256; 1 to 10_000 */
  processes?: number;
  /** Calls to tools per run. @default 1_000; 0 to 1_000_000 */
  toolCalls?: number;
  /** Input of one call and its answer, in bytes each. @default 8_388_608; 1 to 268_435_456 */
  toolBytes?: number;
  /** Time of one call to a tool, in ms. @default 30_000; 1 to 3_600_000 */
  toolTimeMs?: number;
}

/** Limits with every default filled in. */
export interface ResolvedLimits
  extends Required<Omit<Limits, "cpuMs" | "cpus">> {
  /** Time on the processor per run, in ms; null is none. */
  cpuMs: number | null;
  /** Processors, in fractions; null where the wall has no such limit. */
  cpus: number | null;
}

/** What the guest may reach outside; nothing unless said. */
export interface Rights {
  /**
   * Network hosts, such as "example.com", "*.example.com", "example.com:443" or "192.0.2.1:80"; without a port any.
   * Addresses of the host itself, link-local ones and those of clouds' metadata are refused always. `wasm` has no
   * network, so only `false` or an empty list. `true`, in containers only, is the engine's own network without any
   * filter. @default false; 1_000 hosts at most
   */
  net?: boolean | readonly string[];
  /** Folders of the host that the guest may read, by where it has them, such as { "/mnt/data": "/srv/tables" }. @default {}; 16 at most */
  read?: Readonly<Record<string, string>>;
  /** Folders of the host that the guest may change, in the same form; containers only. @default {}; 16 at most */
  write?: Readonly<Record<string, string>>;
  /** Code runs as root of its container. @default false */
  root?: boolean;
  /** The image's own folders can be written to; containers only. @default false */
  writableRoot?: boolean;
  /** Linux capabilities that code keeps, such as ["NET_BIND_SERVICE"]; containers only. @default []; 41 at most */
  capabilities?: readonly string[];
  /** Programs may gain privileges by setuid; containers only. @default false */
  newPrivileges?: boolean;
}

/** Options that every backend takes. */
export interface CommonOptions {
  /** The language of the code. @default "python" */
  lang?: Language;
  /** Says on stderr what is going on; so does the environment variable MOTE_LOG=info. @default false */
  verbose?: boolean;
  /** Working directory in the guest; `wasm` knows "/sandbox" only. @default "/sandbox" */
  workdir?: string;
  /** Environment variables of the guest; nothing of the host's is passed on. @default {}; 256 at most */
  env?: Record<string, string>;
  /** Packages to install before the first run, as for `install()`. @default []; 100 at most */
  libraries?: readonly string[];
  /** Keeps the interpreter's state between runs. @default false */
  interactive?: boolean;
  /** Functions of the host that the guest may call, by name. @default {}; 256 at most */
  tools?: Record<string, Tool>;
  /** What the guest may reach outside. @default nothing */
  rights?: Rights;
  /** What one run may use up. */
  limits?: Limits;
  /** Same as `limits.timeMs`. @default 30_000; 1 to 3_600_000 */
  timeoutMs?: number;
  /** Cancels the opening of the session; runs take their own. */
  signal?: AbortSignal;
  /** Is told how far long work (compiling, installing) has come. */
  onProgress?: (progress: Progress) => void;
}

/** Options that only `hyperlight` takes. */
export interface HyperlightOptions {
  /** A guest of your own: an ELF file, or the folder of its crate, which is built. Code is handed to it as it is, whatever `lang`. */
  guestBinaryPath?: string;
  /** Keeps the folder that a crate was built in, so that its next build is short. @default false */
  keepTemplate?: boolean;
  /** How long building a crate may take, in ms. @default 600_000; 1_000 to 7_200_000 */
  buildTimeoutMs?: number;
  /** Uses a hypervisor that is itself emulated. */
  acceptEmulatedHypervisor?: boolean;
  /**
   * Which guest: `micro` runs the images that `wasm` runs too and starts fastest; `linux` runs Python only, with native
   * libraries, threads and the network. @default "linux" where preload, rights.net, rights.read or libraries with
   * native code need it, else "micro"
   */
  guest?: "micro" | "linux";
  /** Modules that the linux guest has imported before a run begins, such as ["numpy"]. @default []; 20 at most */
  preload?: readonly string[];
}

/** Options that only the container backends take. */
export interface ContainerOptions {
  /** The container image; it is pulled when the engine does not have it. @default the language's, see docs/containers.md */
  image?: string;
  /** A Dockerfile to build the image from, instead of `image`: the file, or its folder. */
  dockerfile?: string;
  /** A container (kubernetes: a pod) that runs already; it is attached to and never removed. */
  containerId?: string;
  /** Keeps what was built from `dockerfile`, so that it is not built again. @default false */
  keepTemplate?: boolean;
  /** Keeps the container as an image when the session closes; not in kubernetes. @default false */
  commitContainer?: boolean;
  /** Passed on to the container engine, as far as it does not weaken the wall; see docs/containers.md. @default {} */
  runtimeConfigs?: Record<string, unknown>;
  /** Leaves out the check that the image has what the language needs. @default false */
  skipEnvironmentSetup?: boolean;
}

/** Options that only `kubernetes` takes. */
export interface KubernetesOptions extends ContainerOptions {
  /** The namespace of the pod. @default the one of the kubeconfig's context, else "default" */
  kubeNamespace?: string;
  /** A pod to start from, as a manifest; what is not said in it gets the safe defaults. */
  podManifest?: Record<string, unknown>;
}

/** Options beyond the common ones, by backend. */
export interface BackendOptions {
  /** No more than the common ones. */
  auto: Record<never, never>;
  /** No more than the common ones. */
  wasm: Record<never, never>;
  /** Own guests. */
  hyperlight: HyperlightOptions;
  /** Containers. */
  docker: ContainerOptions;
  /** Containers. */
  podman: ContainerOptions;
  /** Pods. */
  kubernetes: KubernetesOptions;
}

/** Options of `createSession`, as the chosen backend takes them. */
export type SessionOptions<B extends BackendChoice = "auto"> =
  & CommonOptions
  & {
    /** The wall. `auto` is `hyperlight` where it is there, else `wasm`. @default "auto" */
    backend?: B;
  }
  & BackendOptions[B];

/** Options of `run` and `stream`. */
export interface RunOptions {
  /** What the code reads from standard input. @default empty */
  stdin?: string | Uint8Array;
  /** Wall-clock time of this run, in ms. @default the session's; 1 to 3_600_000 */
  timeoutMs?: number;
  /** Is handed standard output as it comes; a promise it returns holds the guest back. */
  onStdout?: (text: string, bytes: Uint8Array) => void | Promise<void>;
  /** Is handed standard error as it comes; a promise it returns holds the guest back. */
  onStderr?: (text: string, bytes: Uint8Array) => void | Promise<void>;
  /** Ends the run, with code ABORTED. */
  signal?: AbortSignal;
  /** Packages to install first, as for `install()`. @default []; 100 at most */
  libraries?: readonly string[];
  /** Command-line arguments after the name of the program. @default []; 1_000 at most */
  args?: readonly string[];
}

/** Options of long calls that are not runs. */
export interface CallOptions {
  /** Cancels the call, with code ABORTED. */
  signal?: AbortSignal;
  /** Is told how far the work has come. */
  onProgress?: (progress: Progress) => void;
}

/** Options of `listFiles`. */
export interface ListOptions {
  /** Goes into directories. @default true */
  recursive?: boolean;
  /** Cancels the call, with code ABORTED. */
  signal?: AbortSignal;
}

const _timeMs = integer(1, 3_600_000, "ms");
const _noNul = (value: string) =>
  value.includes("\0") ? "it has a NUL character" : undefined;
const _text = string(_noNul);

const _envName = string((value) =>
  value === "" || /[=\0]/.test(value)
    ? "it is empty or has = or NUL in it"
    : undefined
);

const _toolName = string((value) => {
  if (!/^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(value)) {
    return "it is not a letter followed by at most 63 letters, digits and _";
  }
  return ["ToolError", "ToolInputError", "then"].includes(value)
    ? "it is reserved"
    : undefined;
});

const _module = string((value) =>
  /^[\p{L}_][\p{L}\p{N}_]*(\.[\p{L}_][\p{L}\p{N}_]*)*$/u.test(value)
    ? undefined
    : "it is no name of a module"
);

const _guestFolder = string((value) =>
  /^\/mnt\/(?!\.\.?$)[A-Za-z0-9._-]+$/.test(value)
    ? undefined
    : 'it is no place right below /mnt, such as "/mnt/data"'
);

const _tool: Check<Tool> = (value, name) => {
  if (
    typeof (value as Tool | null)?.call === "function" &&
    typeof value !== "function"
  ) {
    return value as Tool;
  }
  throw invalid(
    name,
    "it is not a tool",
    "Make one with tool({ input, output, run }).",
  );
};

const _limits = object<Limits>({
  timeMs: _timeMs,
  cpuMs: _timeMs,
  memoryMb: integer(1, 65_536, "MiB"),
  cpus: number(0.01, 256, "processors"),
  outputBytes: integer(1, 1_072_693_248, "bytes"),
  onOutputLimit: oneOf(["fail", "truncate"]),
  workspaceMb: integer(1, 4_096, "MiB"),
  workspaceFiles: integer(1, 1_000_000, "files"),
  processes: integer(1, 10_000, "processes"),
  toolCalls: integer(0, 1_000_000, "calls"),
  toolBytes: integer(1, 268_435_456, "bytes"),
  toolTimeMs: _timeMs,
});

/** What `limits.workspaceFiles` is where nothing is said. */
export const defaultWorkspaceFiles = 10_000;

const _defaults: ResolvedLimits = Object.freeze<ResolvedLimits>({
  timeMs: 30_000,
  cpuMs: null,
  memoryMb: 256,
  cpus: null,
  outputBytes: 8_388_608,
  onOutputLimit: "fail",
  workspaceMb: 256,
  workspaceFiles: defaultWorkspaceFiles,
  processes: 1,
  toolCalls: 1_000,
  toolBytes: 8_388_608,
  toolTimeMs: 30_000,
});

/** A container's memory holds its workspace too, and an interpreter that was not made small for it. */
const _containerDefaults: ResolvedLimits = Object.freeze<ResolvedLimits>({
  ..._defaults,
  memoryMb: 1_024,
  cpus: 1,
  processes: 256,
});

const _net: Check<boolean | readonly string[]> = (value, name) =>
  typeof value === "boolean" ? value : list(_text, 1_000)(value, name);

const _capability = string((value) =>
  /^[A-Z][A-Z_]{1,40}$/.test(value) && !value.startsWith("CAP_")
    ? undefined
    : 'it is no capability without CAP_, such as "NET_BIND_SERVICE"'
);

/** Every option that some backend knows, whichever is chosen. */
export interface AnyOptions
  extends CommonOptions, HyperlightOptions, KubernetesOptions {
  /** The wall. */
  backend?: BackendChoice;
  /** Rules for the code, checked before it runs; not part of this version. */
  securityPolicy?: unknown;
}

const _session = object<AnyOptions>(
  {
    backend: oneOf([
      "auto",
      "wasm",
      "hyperlight",
      "docker",
      "podman",
      "kubernetes",
    ]),
    lang: oneOf([
      "python",
      "javascript",
      "wasm",
      "typescript",
      "java",
      "cpp",
      "c",
      "go",
      "ruby",
      "r",
      "bash",
    ]),
    verbose: boolean,
    workdir: _text,
    env: record(_envName, _text),
    libraries: list(_text, 100),
    interactive: boolean,
    tools: record(_toolName, _tool),
    rights: object<Rights>({
      net: _net,
      read: record(_guestFolder, _text),
      write: record(_guestFolder, _text),
      root: boolean,
      writableRoot: boolean,
      capabilities: list(_capability, 41),
      newPrivileges: boolean,
    }),
    limits: _limits,
    timeoutMs: _timeMs,
    signal: abortSignal,
    onProgress: func(),
    securityPolicy: anything,
    guestBinaryPath: _text,
    keepTemplate: boolean,
    buildTimeoutMs: integer(1_000, 7_200_000, "ms"),
    acceptEmulatedHypervisor: boolean,
    guest: oneOf(["micro", "linux"]),
    preload: list(_module, 20),
    image: _text,
    dockerfile: _text,
    containerId: _text,
    commitContainer: boolean,
    runtimeConfigs: record(_text, anything),
    skipEnvironmentSetup: boolean,
    kubeNamespace: _text,
    podManifest: record(_text, anything),
  },
  Object.fromEntries(
    Object.keys(_defaults).map((key) => [key, `limits.${key}`]),
  ),
);

/** Names of every option that some backend knows. */
export const sessionOptionNames: readonly string[] = _session.names;

const _run = object<RunOptions>({
  stdin: bytesOrText,
  timeoutMs: _timeMs,
  onStdout: func(),
  onStderr: func(),
  signal: abortSignal,
  libraries: list(_text, 100),
  args: list(_text, 1_000),
});

const _call = object<CallOptions>({ signal: abortSignal, onProgress: func() });
const _list = object<ListOptions>({ recursive: boolean, signal: abortSignal });

/** Options of a session with the defaults filled in that are the same everywhere. */
export interface ParsedOptions extends Omit<AnyOptions, "limits"> {
  /** The wall. */
  backend: BackendChoice;
  /** The language. */
  lang: Language;
  /** Limits with every default filled in. */
  limits: ResolvedLimits;
}

/** Checks the options of `createSession`. */
export function parseSessionOptions(value: unknown): ParsedOptions {
  const options = _session(value ?? {}, "");
  const { timeoutMs, limits } = options;
  if (
    timeoutMs !== undefined && limits?.timeMs !== undefined &&
    timeoutMs !== limits.timeMs
  ) {
    throw invalid(
      "timeoutMs",
      `it is ${timeoutMs} and limits.timeMs, the same limit, is ${limits.timeMs}`,
      "Give one of them.",
    );
  }
  if (Object.keys(options.env ?? {}).length > 256) {
    throw invalid("env", "it has more than 256 variables", "Give fewer.");
  }
  if (Object.keys(options.tools ?? {}).length > 256) {
    throw invalid("tools", "it has more than 256 tools", "Give fewer.");
  }
  const backend = options.backend ?? "auto";
  const contained = ["docker", "podman", "kubernetes"].includes(backend);
  const defaults = contained ? _containerDefaults : _defaults;
  if (!contained && (limits?.memoryMb ?? 0) > 4_096) {
    const cure =
      "Give a whole number of MiB from 1 to 4096, or use a container backend.";
    throw invalid("limits.memoryMb", `it is ${limits?.memoryMb}`, cure);
  }
  return {
    ...options,
    backend,
    lang: options.lang ?? "python",
    limits: timeoutMs === undefined && !limits ? defaults : Object.freeze({
      ...defaults,
      ...(timeoutMs === undefined ? undefined : { timeMs: timeoutMs }),
      ...limits,
    }),
  };
}

const _sources = [
  "image",
  "dockerfile",
  "containerId",
  "guestBinaryPath",
] as const;

/** Refuses options that contradict each other; after the backend has had its say. */
export function checkTogether(options: ParsedOptions): void {
  const [source, second] = _sources.filter((one) => options[one] !== undefined);
  const cure = "Give one of them.";
  if (second !== undefined) {
    throw invalid(second, `${source} says already what runs`, cure);
  }
  const own = source === "guestBinaryPath";
  if (own && options.guest !== undefined) {
    throw invalid("guest", "guestBinaryPath says what runs", cure);
  }
  if (options.keepTemplate !== undefined && !own && source !== "dockerfile") {
    const cure = "Give a guest's crate as guestBinaryPath, or a dockerfile.";
    throw invalid("keepTemplate", "nothing is built", cure);
  }
  if (options.buildTimeoutMs !== undefined && !own) {
    const cure = "Give the folder of a guest's crate as guestBinaryPath.";
    throw invalid("buildTimeoutMs", "no guest is built", cure);
  }
}

const _none: RunOptions = Object.freeze({});

/** Checks the options of `run` and `stream`. */
export function parseRunOptions(value: unknown): RunOptions {
  return value === undefined ? _none : _run(value, "");
}

/** Checks the options of `install` and of copying. */
export function parseCallOptions(value: unknown): CallOptions {
  return _call(value ?? {}, "");
}

/** Checks the options of `listFiles`. */
export function parseListOptions(value: unknown): ListOptions {
  return _list(value ?? {}, "");
}

/** Checks a list of packages. */
export const parsePackages: Check<string[]> = list(_text, 100);
