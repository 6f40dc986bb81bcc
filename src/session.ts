import type {
  Backend,
  BackendStatus,
  CapabilitiesOf,
  FileStore,
} from "./backends/backend.ts";
import { chooseBackend, probeAll } from "./backends/choose.ts";
import { cacheDir } from "./cache.ts";
import { SandboxError, type Violation } from "./errors.ts";
import { type Ground, type GroundPlan, Grounds, openGround } from "./ground.ts";
import { type Guard, guardOf } from "./guard.ts";
import { loadHost } from "./host.ts";
import { aborted } from "./host_error.ts";
import type { PreparedPackages } from "./install/install.ts";
import type { LanguageData } from "./languages/language.ts";
import { languages } from "./languages/languages.ts";
import {
  type BackendChoice,
  type BackendName,
  type CallOptions,
  checkTogether,
  type ListOptions,
  parseCallOptions,
  type ParsedOptions,
  parseListOptions,
  parsePackages,
  parseRunOptions,
  parseSessionOptions,
  type RunOptions,
  type SessionOptions,
} from "./options.ts";
import { decideOpening, type Opening } from "./opening.ts";
import { outsideOf } from "./outside.ts";
import { type Code, programOf } from "./program.ts";
import { Reporter } from "./progress.ts";
import type {
  FileEntry,
  InstalledLibrary,
  OutputChunk,
  Progress,
  RunResult,
} from "./result.ts";
import { runProgram, type Sink } from "./run.ts";
import { type RunStream, streamRun } from "./stream.ts";
import { refuseUnsupported, unsupported } from "./support.ts";

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

/** Opens a session behind a backend that was chosen. */
export async function openSession(
  backend: Backend,
  reason: string,
  options: ParsedOptions,
  spoken: LanguageData = languages[options.lang]!,
): Promise<Session> {
  refuseUnsupported(backend, options);
  checkTogether(options);
  const { lang, signal } = options;
  const host = await loadHost();
  const verbose = options.verbose === true || host.env("MOTE_LOG") === "info";
  const report = new Reporter(host, verbose, options.onProgress);
  if (signal?.aborted) throw aborted(signal, "open a session");
  const guard = await guardOf(options, spoken);
  // Before the guest is looked for: the library begins its work on a thread of its own.
  await backend.prepare?.();
  const cache = cacheDir(host);
  const opening = await decideOpening(
    backend,
    options,
    spoken,
    host,
    cache,
    report,
  );
  const outside = await outsideOf(options, opening.capabilities, host);
  const { progress: onProgress } = report;
  const plan = {
    backend,
    reason,
    options,
    outside,
    cacheDir: cache,
    onProgress,
  };
  const ground = await openGround(plan, opening, signal)
    .finally(() => report.clear());
  if (report.verbose) {
    report.line(`opened ${lang} in ${backend.name} (${ground.reason})`);
  }
  const session = new _Session(
    plan,
    opening,
    new Grounds(ground, !opening.over),
    guard,
    report,
  );
  if (!options.libraries?.length || opening.packages) return session;
  try {
    await session.install(options.libraries, signal ? { signal } : {});
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}

class _Session implements Session {
  readonly #plan: GroundPlan;
  readonly #grounds: Grounds;
  readonly #workspace: FileStore;
  readonly #language: LanguageData;
  readonly #report: Reporter;
  readonly #guard: Guard | undefined;
  #backend: ChosenBackend;
  /** Given away when the session has gone over. */
  #over: Opening["over"];
  #libraries: readonly InstalledLibrary[];
  /** The last installation; never rejects. */
  #installing: Promise<unknown> | undefined;
  #closed: Promise<void> | undefined;

  constructor(
    plan: GroundPlan,
    { language, packages, over }: Opening,
    grounds: Grounds,
    guard: Guard | undefined,
    report: Reporter,
  ) {
    this.#plan = plan;
    this.#grounds = grounds;
    this.#workspace = grounds.files("sandbox");
    this.#language = language;
    this.#report = report;
    this.#guard = guard;
    this.#backend = _chosen(plan, grounds);
    this.#over = over;
    this.#libraries = Object.freeze([...packages?.libraries ?? []]);
  }

  get backend(): ChosenBackend {
    return this.#backend;
  }

  get capabilities(): CapabilitiesOf<BackendChoice> {
    return this.#grounds.now.capabilities;
  }

  async run(code: Code, options?: RunOptions): Promise<RunResult> {
    this.#open("run code");
    return await this.#run(code, parseRunOptions(options));
  }

  stream(code: Code, options?: RunOptions): RunStream {
    return streamRun(async (output, push, left) => {
      this.#open("run code");
      const parsed = parseRunOptions(options);
      const { onStdout, onStderr } = parsed;
      const consume = async (chunk: OutputChunk) => {
        const { stream, text, bytes } = chunk;
        await (stream === "stdout" ? onStdout : onStderr)?.(text, bytes);
        await push(chunk);
      };
      return await this.#run(code, parsed, { output, left, consume });
    });
  }

  async #run(
    code: Code,
    options: RunOptions,
    sink?: Sink,
  ): Promise<RunResult> {
    const { signal, libraries } = options;
    if (signal?.aborted) throw aborted(signal, "run code");
    const given = programOf(code, this.#language);
    const program = given instanceof Promise ? await given : given;
    if (this.#guard) await this.#guard.admit(program);
    if (libraries?.length) {
      await this.install(libraries, signal ? { signal } : {});
    }
    if (this.#installing) {
      await this.#grounds.until(this.#installing, signal, "run code");
    }
    const work = ({ wall, receipt }: Ground) => {
      const files = this.#workspace;
      const { tools, egress } = this.#plan.outside;
      const context = { wall, files, tools, egress, receipt };
      return runProgram(context, program, options, this.#libraries, sink);
    };
    const result = await this.#grounds.run(signal, work);
    if (this.#report.verbose) {
      const { exitCode, timings } = result;
      const ms = timings.totalMs.toFixed(2);
      this.#report.line(`run ended with ${exitCode} after ${ms} ms`);
    }
    return result;
  }

  async install(
    packages: readonly string[],
    options?: CallOptions,
  ): Promise<InstalledLibrary[]> {
    this.#open("install packages");
    const names = parsePackages(packages, "packages");
    const { signal, onProgress } = parseCallOptions(options);
    const { name, noInstall, installIn } = this.#language;
    if (!this.capabilities.install.includes(name)) {
      const state = noInstall ?? `${name} has no packages`;
      throw unsupported(state, installIn ?? [], "install packages");
    }
    this.#guard?.admitPackages(names);
    const before = this.#installing;
    const after = (async () => {
      if (before) {
        await this.#grounds.until(before, signal, "install packages");
      }
      return await this.#install(names, signal, onProgress);
    })();
    // One after the other, also where a call gave up waiting for its turn.
    const turn = Promise.allSettled([before, after]);
    this.#installing = turn;
    turn.then(() => {
      if (this.#installing === turn) this.#installing = undefined;
    });
    return await after;
  }

  async #install(
    names: readonly string[],
    signal: AbortSignal | undefined,
    onProgress: CallOptions["onProgress"],
  ): Promise<InstalledLibrary[]> {
    this.#open("install packages");
    const { installPackages } = await import("./install/install.ts");
    let gone = false;
    const tell = (progress: Progress) => {
      this.#report.progress(progress);
      onProgress?.(progress);
    };
    const added = await installPackages(names, {
      cacheDir: this.#plan.cacheDir,
      files: this.#grounds.files("site-packages"),
      installed: this.#libraries,
      native: this.capabilities.nativeLibraries,
      goOver: this.#over && (async (packages) => {
        await this.#goOver(packages, signal, tell);
        gone = true;
      }),
      signal,
      onProgress: tell,
    }).finally(() => this.#report.clear());
    if (gone) return added;
    const fresh = new Set(added.map((library) => library.name));
    this.#libraries = Object.freeze([
      ...this.#libraries.filter((library) => !fresh.has(library.name)),
      ...added,
    ]);
    return added;
  }

  async isSafe(code: Code): Promise<SafetyReport> {
    this.#open("check code");
    if (!this.#guard) {
      throw new SandboxError(
        "INVALID_OPTION",
        "Cannot check code: the session has no policy. Give createSession a securityPolicy.",
      );
    }
    return await this.#guard.look(await programOf(code, this.#language));
  }

  /** Goes over to the linux guest, with these libraries. */
  async #goOver(
    packages: PreparedPackages,
    signal: AbortSignal | undefined,
    onProgress: (progress: Progress) => void,
  ): Promise<void> {
    const names = packages.native.join(", ");
    if (this.#plan.options.interactive && this.#grounds.used) {
      throw new SandboxError(
        "INSTALL_FAILED",
        `Cannot install ${names}: native code needs the linux guest, and what earlier runs of this interactive session left in its interpreter cannot go there. Install before the first run, or open the session with guest: "linux".`,
      );
    }
    const text = `going over to the linux guest, as native code is in ${names}`;
    onProgress({ stage: "open", done: 0, total: 0, text });
    const opening = this.#over!(packages);
    const plan = { ...this.#plan, onProgress };
    try {
      await this.#grounds.exchange(
        (from, stop) => openGround(plan, opening, stop, from),
        () => {
          this.#over = undefined;
          this.#libraries = Object.freeze([...packages.libraries]);
          this.#backend = _chosen(this.#plan, this.#grounds);
        },
        signal,
      );
    } catch (error) {
      throw _notOver(error, names);
    }
    if (this.#report.verbose) {
      this.#report.line(`went over: ${this.backend.reason}`);
    }
  }

  async copyToRuntime(
    hostPath: string | URL,
    guestPath: string,
    options?: CallOptions,
  ): Promise<void> {
    this.#open("copy files");
    const { signal } = parseCallOptions(options);
    const { copyIn } = await import("./files/copy_in.ts");
    await copyIn(this.#workspace, hostPath, guestPath, signal);
  }

  async copyFromRuntime(
    guestPath: string,
    hostPath: string | URL,
    options?: CallOptions,
  ): Promise<void> {
    this.#open("copy files");
    const { signal } = parseCallOptions(options);
    const { copyOut } = await import("./files/copy_out.ts");
    await copyOut(this.#workspace, guestPath, hostPath, signal);
  }

  async listFiles(
    guestPath = ".",
    options?: ListOptions,
  ): Promise<FileEntry[]> {
    this.#open("list files");
    const { recursive = true, signal } = parseListOptions(options);
    if (signal?.aborted) throw aborted(signal, "list files");
    const { cleanGuestPath } = await import("./files/guest_path.ts");
    const path = cleanGuestPath(guestPath, "list files");
    return await this.#workspace.list(path, recursive);
  }

  close(): Promise<void> {
    return this.#closed ??= this.#grounds.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #open(action: string): void {
    if (!this.#closed) return;
    throw new SandboxError(
      "SESSION_CLOSED",
      `Cannot ${action}: the session is closed. Open another.`,
    );
  }
}

function _chosen({ backend }: GroundPlan, { now }: Grounds): ChosenBackend {
  const { name } = backend;
  return { name, reason: now.reason, toString: () => name };
}

/** What stood in the way of another guest, told as what was asked for: an installation. */
function _notOver(error: unknown, names: string): unknown {
  if (!(error instanceof SandboxError)) return error;
  if (error.code === "ABORTED" || error.code === "SESSION_CLOSED") return error;
  const why = error.message.replace(/^Cannot [^:]+: /, "");
  return new SandboxError(
    error.code,
    `Cannot install ${names}: native code needs the linux guest, which did not open: ${why}`,
    { cause: error },
  );
}
