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
  object,
  oneOf,
  record,
  string,
} from "./check.ts";
import {
  limitFields,
  limitNames,
  type Limits,
  type ResolvedLimits,
  resolveLimits,
  timeMs,
} from "./limits.ts";
import type { Progress } from "./result.ts";
import {
  envName,
  type Rights,
  rights,
  type Secret,
  secret,
  text,
  toolName,
} from "./rights.ts";
import type { Tool } from "./tools.ts";

export type { Limits, ResolvedLimits } from "./limits.ts";
export type { NetRule, Rights, Secret } from "./rights.ts";

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
  /** Secrets by the variable of the guest's environment that holds a stand-in; the host puts the secret in its place in headers of requests to hosts it is for. @default {}; 100 at most */
  secrets?: Record<string, Secret>;
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

const _module = string((value) =>
  /^[\p{L}_][\p{L}\p{N}_]*(\.[\p{L}_][\p{L}\p{N}_]*)*$/u.test(value)
    ? undefined
    : "it is no name of a module"
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
    workdir: text,
    env: record(envName, text),
    libraries: list(text, 100),
    interactive: boolean,
    tools: record(toolName, _tool),
    rights,
    secrets: record(envName, secret),
    limits: limitFields,
    timeoutMs: timeMs,
    signal: abortSignal,
    onProgress: func(),
    securityPolicy: anything,
    guestBinaryPath: text,
    keepTemplate: boolean,
    buildTimeoutMs: integer(1_000, 7_200_000, "ms"),
    acceptEmulatedHypervisor: boolean,
    guest: oneOf(["micro", "linux"]),
    preload: list(_module, 20),
    image: text,
    dockerfile: text,
    containerId: text,
    commitContainer: boolean,
    runtimeConfigs: record(text, anything),
    skipEnvironmentSetup: boolean,
    kubeNamespace: text,
    podManifest: record(text, anything),
  },
  Object.fromEntries(
    limitNames.map((key) => [key, `limits.${key}`]),
  ),
);

/** Names of every option that some backend knows. */
export const sessionOptionNames: readonly string[] = _session.names;

const _run = object<RunOptions>({
  stdin: bytesOrText,
  timeoutMs: timeMs,
  onStdout: func(),
  onStderr: func(),
  signal: abortSignal,
  libraries: list(text, 100),
  args: list(text, 1_000),
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
  if (Object.keys(options.env ?? {}).length > 256) {
    throw invalid("env", "it has more than 256 variables", "Give fewer.");
  }
  if (Object.keys(options.tools ?? {}).length > 256) {
    throw invalid("tools", "it has more than 256 tools", "Give fewer.");
  }
  const backend = options.backend ?? "auto";
  const contained = ["docker", "podman", "kubernetes"].includes(backend);
  return {
    ...options,
    backend,
    lang: options.lang ?? "python",
    limits: resolveLimits(options, contained),
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
export const parsePackages: Check<string[]> = list(text, 100);
