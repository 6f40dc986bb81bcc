import type { BackendStatus, CapabilitiesOf } from "./backends/backend.ts";
import type {
  BackendChoice,
  BackendName,
  CallOptions,
  ListOptions,
  RunOptions,
  SessionOptions,
} from "./options.ts";
import type {
  FileEntry,
  InstalledLibrary,
  OutputChunk,
  RunResult,
} from "./result.ts";

/** The wall of a session. */
export interface ChosenBackend {
  /** Which. */
  readonly name: BackendName;
  /** Why this one. */
  readonly reason: string;
}

/** The output of a run as it comes. Leaving the loop ends the run. */
export interface RunStream extends AsyncIterable<OutputChunk> {
  /** The whole result; settles when the loop has ended. */
  readonly result: Promise<RunResult>;
}

/** An open sandbox. */
export interface Session<B extends BackendChoice = BackendChoice>
  extends AsyncDisposable {
  /** Which wall it has, and why. */
  readonly backend: ChosenBackend;
  /** What the wall can do. */
  readonly capabilities: CapabilitiesOf<B>;
  /** Runs code to its end. Runs of one session queue. */
  run(
    code: string | Uint8Array | URL,
    options?: RunOptions,
  ): Promise<RunResult>;
  /** Runs code and hands out its output as it comes. */
  stream(code: string | Uint8Array | URL, options?: RunOptions): RunStream;
  /** Puts pure-Python packages and what they need into the session. */
  install(
    packages: readonly string[],
    options?: CallOptions,
  ): Promise<InstalledLibrary[]>;
  /** Copies a file or directory of the host into the workspace. */
  copyToRuntime(
    hostPath: string | URL,
    guestPath: string,
    options?: CallOptions,
  ): Promise<void>;
  /** Copies a file or directory of the workspace to the host. */
  copyFromRuntime(
    guestPath: string,
    hostPath: string | URL,
    options?: CallOptions,
  ): Promise<void>;
  /** Lists what is in the workspace, or in a directory of it. */
  listFiles(guestPath?: string, options?: ListOptions): Promise<FileEntry[]>;
  /** Ends what runs, waits for it and frees everything; may be called again. */
  close(): Promise<void>;
}

/** Opens a session. */
export declare function createSession<B extends BackendChoice = "auto">(
  options?: SessionOptions<B>,
): Promise<Session<B>>;

/** Says of every backend whether it can be used on this machine, and why. */
export declare function probe(): Promise<Record<BackendName, BackendStatus>>;
