import type { Violation } from "./errors.ts";
import type { ResolvedLimits } from "./limits.ts";
import type { BackendName, Language } from "./options.ts";
import type { Rights } from "./rights.ts";

/** How long the parts of a run took, in ms with fractions. */
export interface Timings {
  /** Waiting for earlier runs of the same session. */
  queuedMs: number;
  /** From the end of waiting until the guest runs the code. */
  startMs: number;
  /** From the call until the first byte of output; absent when there was none. */
  firstByteMs?: number;
  /** The code itself. */
  runMs: number;
  /** From the call to the answer, as the backend measured it. */
  totalMs: number;
}

/** A limit that the guest ran into. */
export type LimitName =
  | "time"
  | "cpu"
  | "memory"
  | "output"
  | "workspace"
  | "tools";

/** A file that a run made or changed in the workspace. */
export interface Artifact {
  /** Where it is, relative to the workspace. */
  readonly path: string;
  /** Size at the end of the run, in bytes. */
  readonly size: number;
  /** Guessed from the name, where it is a well-known one. */
  readonly mediaType?: string;
  /** Reads the file as it is now; the session must still be open. */
  bytes(): Promise<Uint8Array>;
}

/** One call that the guest made to a tool of the host. */
export interface ToolCall {
  /** The tool's name. */
  name: string;
  /** How long the host took, in ms. */
  ms: number;
  /** Whether the guest got a value. */
  ok: boolean;
}

/** A library that `install()` put into the session. */
export interface InstalledLibrary {
  /** Its normalised name. */
  name: string;
  /** Its exact version. */
  version: string;
  /** Hash of the file that was unpacked, in hex; absent where the client does not say it. */
  sha256?: string;
  /** What the client checked it by, as npm and Go write it, such as "sha512-…" or "h1:…". */
  integrity?: string;
  /** Set when it holds native code. In micro-VMs only the linux guest runs that; a session goes over to it when it must. */
  native?: true;
}

/** One request that the guest sent, or wanted to send, through the host; a redirect is a further one. */
export interface EgressEntry {
  /** The method. */
  method: string;
  /** Where to, without what follows `?`. */
  url: string;
  /** The address that answered. */
  address?: string;
  /** Status code of the answer. */
  status?: number;
  /** Body that was sent, in bytes. */
  sentBytes: number;
  /** Body that came back, decoded, in bytes. */
  receivedBytes: number;
  /** How long it took, in ms. */
  ms: number;
  /** Why it was not sent, or got no answer. */
  refused?: string;
}

/** What a run ran on and under. */
export interface Receipt {
  /** The wall; `memory` is the double for tests. */
  backend: BackendName | "memory";
  /** The language. */
  lang: Language;
  /** What a micro-VM booted: the guest without an operating system, the linux guest, or one of your own; absent elsewhere. */
  guest?: "micro" | "linux" | "elf";
  /** Hash of the guest image, in hex; absent where the code itself is the guest. */
  imageSha256?: string;
  /** The limits in force. */
  limits: ResolvedLimits;
  /** Hash of the policy that code was held to, in hex; absent without one. */
  policySha256?: string;
  /** What the policy found and let pass. */
  violations?: readonly Violation[];
  /** What the guest could reach; absent when nothing. */
  rights?: Rights;
  /** The limit that ended the run, or that its code ran into. */
  limitHit?: LimitName;
  /** Libraries that were installed. */
  libraries: readonly InstalledLibrary[];
  /** Calls to tools in the order in which they ended. */
  toolCalls: readonly ToolCall[];
  /** Requests in the order in which they were made, 10,000 at most. */
  egress: readonly EgressEntry[];
}

/** What came out of one run. */
export interface RunResult {
  /** What the code ended with; 1 after an uncaught exception. */
  readonly exitCode: number;
  /** Standard output as text; bytes that are not UTF-8 appear as U+FFFD. */
  readonly stdout: string;
  /** Standard error as text; bytes that are not UTF-8 appear as U+FFFD. */
  readonly stderr: string;
  /** Standard output as it came. */
  readonly stdoutBytes: Uint8Array;
  /** Standard error as it came. */
  readonly stderrBytes: Uint8Array;
  /** Files that the run made or changed in the workspace, 100 at most. */
  readonly artifacts: readonly Artifact[];
  /** How long it took. */
  readonly timings: Timings;
  /** A limit that the code ran into and coped with, or past which output was cut. */
  readonly limitHit?: LimitName;
  /** What it ran on and under. */
  readonly receipt: Receipt;
}

/** A piece of output, as it arrives. */
export interface OutputChunk {
  /** Where the guest wrote it. */
  readonly stream: "stdout" | "stderr";
  /** The text; a character that is split over two chunks comes with the second. */
  readonly text: string;
  /** The bytes as they came. */
  readonly bytes: Uint8Array;
}

/** Something that takes a while, as it goes on. */
export interface Progress {
  /** What is going on; `open`: the session goes over to another guest. */
  stage: "compile" | "resolve" | "download" | "unpack" | "open" | "commit";
  /** How much is done, in the unit of `total`. */
  done: number;
  /** How much there is; 0 when nobody knows. */
  total: number;
  /** One line for people. */
  text: string;
}

/** A file, directory or link in the workspace. */
export interface FileEntry {
  /** Where it is, relative to the workspace. */
  path: string;
  /** What it is. */
  kind: "file" | "directory" | "symlink";
  /** Size in bytes; 0 for a directory. */
  size: number;
  /** Permission bits, as in `0o644`. */
  mode: number;
  /** When it was last written, in ms since 1970. */
  mtimeMs: number;
  /** Where a link points. */
  target?: string;
}
