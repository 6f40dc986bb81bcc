import type { BackendStatus, CapabilitiesOf } from "./backends/backend.ts";
import { chooseBackend, probeAll } from "./backends/choose.ts";
import type { Violation } from "./errors.ts";
import { openSession } from "./opened.ts";
import {
  type BackendChoice,
  type BackendName,
  type CallOptions,
  type ListOptions,
  parseSessionOptions,
  type RunOptions,
  type SessionOptions,
} from "./options.ts";
import type { Code } from "./program.ts";
import type { FileEntry, InstalledLibrary, RunResult } from "./result.ts";
import type { RunStream } from "./stream.ts";

/** The wall of a session. */
export interface ChosenBackend {
  /** Which; `memory` is the double for tests. */
  readonly name: BackendName | "memory";
  /** Why this one. */
  readonly reason: string;
  /** The name. */
  toString(): string;
}

/** What a policy says of code. */
export interface SafetyReport {
  /** Whether it may run: nothing was found that blocks. */
  readonly safe: boolean;
  /** All that was found, what does not block too. */
  readonly violations: readonly Violation[];
}

/** An open sandbox. */
export interface Session<B extends BackendChoice = BackendChoice>
  extends AsyncDisposable {
  /** Which wall it has, and why. */
  readonly backend: ChosenBackend;
  /** After `close()` with `commitContainer`: the image that the container was kept as. */
  readonly committedImage: string | undefined;
  /** What the wall can do. */
  readonly capabilities: CapabilitiesOf<B>;
  /**
   * Runs code to its end; runs of one session queue. With `lang: "wasm"` the
   * code is a module's bytes, or the path or URL of its file.
   */
  run(code: Code, options?: RunOptions): Promise<RunResult>;
  /** Runs code and hands out its output as it comes. */
  stream(code: Code, options?: RunOptions): RunStream;
  /**
   * Puts packages and what they need into the session. In a micro-VM native code makes it go over to the linux guest,
   * unless `guest: "micro"` was asked for: files and libraries go along, and `backend`, `capabilities`, what this
   * returns (`native`) and the receipts of later runs (`guest`) say so.
   */
  install(
    packages: readonly string[],
    options?: CallOptions,
  ): Promise<InstalledLibrary[]>;
  /** Says what the session's policy finds in code, without running it. */
  isSafe(code: Code): Promise<SafetyReport>;
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

/**
 * Opens a session. Close it, or write `await using`, when it is no longer needed.
 *
 * @example
 * ```ts
 * import { createSession } from "@mote/sandbox";
 *
 * const session = await createSession({ lang: "javascript", timeoutMs: 1_000 });
 * const { stdout } = await session.run("console.log(6 * 7)");
 * console.log(stdout); // 42
 * await session.close();
 * ```
 */
export async function createSession<B extends BackendChoice = "auto">(
  options?: SessionOptions<B>,
): Promise<Session<B>> {
  const parsed = parseSessionOptions(options);
  const { backend, reason } = await chooseBackend(parsed.backend);
  return await openSession(backend, reason, parsed) as Session<B>;
}

/**
 * Says of every backend whether it can be used on this machine, and why.
 *
 * @example
 * ```ts
 * import { probe } from "@mote/sandbox";
 *
 * for (const [name, { available, reason }] of Object.entries(await probe())) {
 *   console.log(name, available, reason);
 * }
 * ```
 */
export function probe(): Promise<Record<BackendName, BackendStatus>> {
  return probeAll();
}
