import type {
  Backend,
  BackendStatus,
  CapabilitiesOf,
  OpenSpec,
  Wall,
} from "./backends/backend.ts";
import { chooseBackend, probeAll } from "./backends/choose.ts";
import { cacheDir } from "./cache.ts";
import { SandboxError } from "./errors.ts";
import { loadHost } from "./host.ts";
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
import { outsideOf } from "./outside.ts";
import { netRules } from "./rights.ts";
import { decideOpening, type Opening } from "./opening.ts";
import { type Code, programOf } from "./program.ts";
import { Reporter } from "./progress.ts";
import type {
  FileEntry,
  InstalledLibrary,
  OutputChunk,
  RunResult,
} from "./result.ts";
import type { Installed, InstallPlace } from "./installing.ts";
import { type RunContext, runProgram, type Sink } from "./run.ts";
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
  spoken?: LanguageData,
): Promise<Session> {
  return (await openWall(backend, reason, options, spoken)).session();
}

/** A wall that is open, and what its sessions have in common. */
export interface OpenedWall {
  /** The wall. */
  readonly wall: Wall;
  /** What the wall can do, and why it was chosen. */
  readonly about: Pick<Session, "backend" | "capabilities">;
  /** A session behind it, or behind something that stands before it. */
  session(before?: Wall): Session;
  /** Makes it as new for another user, with the libraries that it opened with; absent where that cannot be had. */
  readonly reset?: (() => Promise<void>) | undefined;
}

/** Refuses options that the backend cannot honour, or that contradict each other. */
export function checkOptions(backend: Backend, options: ParsedOptions): void {
  refuseUnsupported(backend, options);
  checkTogether(options);
}

/** Opens a wall of a backend that was chosen, and installs the libraries that were asked for. */
export async function openWall(
  backend: Backend,
  reason: string,
  options: ParsedOptions,
  spoken: LanguageData = languages[options.lang]!,
): Promise<OpenedWall> {
  checkOptions(backend, options);
  const { lang, limits, signal } = options;
  const host = await loadHost();
  const verbose = options.verbose === true || host.env("MOTE_LOG") === "info";
  const report = new Reporter(host, verbose, options.onProgress);
  if (signal?.aborted) throw _aborted(signal);
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
  const hosts = opening.container ? netRules(options.rights) : [];
  const through = hosts.length > 0 ? await import("./reach.ts") : undefined;
  const rules = through?.hostRules(hosts);
  const spec: OpenSpec = {
    lang,
    image: opening.image,
    guest: opening.guest,
    container: opening.container,
    acceptEmulated: options.acceptEmulatedHypervisor === true,
    cacheDir: cache,
    interactive: options.interactive === true,
    env: { ...through?.proxied, ...outside.env },
    tools: outside.calls,
    limits,
    signal,
    onProgress: report.progress,
  };
  let wall: Wall;
  try {
    wall = await backend.open(spec);
    if (through && rules) wall = await through.reach(wall, rules);
  } catch (error) {
    throw signal?.aborted ? _aborted(signal) : error;
  } finally {
    report.clear();
  }
  const { because, packages } = opening;
  const imageSha256 = opening.imageSha256 ?? wall.imageSha256;
  const why = because === undefined ? reason : `${reason}; ${because}`;
  if (report.verbose) {
    report.line(`opened ${lang} in ${backend.name} (${why})`);
  }
  const receipt = {
    backend: backend.name,
    lang,
    limits,
    ...(outside.rights && { rights: outside.rights }),
    ...(imageSha256 !== undefined && { imageSha256 }),
  };
  const begins: Installed = { libraries: packages?.libraries ?? [], asked: [] };
  let installed = begins;
  const session = (before = wall) =>
    new _Session(why, opening, report, { backend, spec }, installed, {
      wall: before,
      tools: outside.tools,
      egress: outside.egress,
      receipt,
    });
  const install = async () => {
    if (!options.libraries?.length || packages) return;
    installed = begins;
    const first = session();
    await first.install(options.libraries, signal ? { signal } : {});
    installed = first.installed;
  };
  try {
    await install();
  } catch (error) {
    await wall.close();
    throw error;
  }
  return {
    wall,
    about: session(),
    session,
    reset: wall.reset && (async () => {
      await wall.reset!();
      await install();
    }),
  };
}

class _Session implements Session {
  readonly backend: ChosenBackend;
  readonly capabilities: CapabilitiesOf<BackendChoice>;
  readonly #context: RunContext;
  readonly #language: LanguageData;
  readonly #report: Reporter;
  readonly #setting: Pick<InstallPlace, "backend" | "spec">;
  readonly #closing = new AbortController();
  readonly #installing = new Set<Promise<unknown>>();
  /** What was put into it. */
  installed: Installed;
  #closed: Promise<void> | undefined;

  constructor(
    reason: string,
    { capabilities, language }: Opening,
    report: Reporter,
    setting: Pick<InstallPlace, "backend" | "spec">,
    installed: Installed,
    context: RunContext,
  ) {
    const { name } = setting.backend;
    this.backend = { name, reason, toString: () => name };
    this.capabilities = capabilities;
    this.#language = language;
    this.#report = report;
    this.#setting = setting;
    this.#context = {
      ...context,
      onReplaced: () => this.installed = { libraries: [], asked: [] },
    };
    this.installed = installed;
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
    if (signal?.aborted) throw _aborted(signal, "run code");
    if (libraries?.length) {
      await this.install(libraries, signal ? { signal } : {});
    }
    const program = programOf(code, this.#language);
    const result = await runProgram(
      this.#context,
      program instanceof Promise ? await program : program,
      options,
      this.installed.libraries,
      sink,
    );
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
    const { install } = await import("./installing.ts");
    const place = {
      ...this.#setting,
      wall: this.#context.wall,
      native: this.capabilities.nativeLibraries,
    };
    const ended = this.#closing.signal;
    const work = install(names, place, this.installed, {
      signal: signal ? AbortSignal.any([signal, ended]) : ended,
      onProgress: (progress) => {
        this.#report.progress(progress);
        onProgress?.(progress);
      },
    });
    this.#installing.add(work);
    try {
      const { added, now } = await work;
      this.installed = now;
      return added;
    } catch (error) {
      if (!signal?.aborted) this.#open("install packages");
      throw error;
    } finally {
      this.#installing.delete(work);
      this.#report.clear();
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
    const files = this.#context.wall.files("sandbox");
    await copyIn(files, hostPath, guestPath, signal);
  }

  async copyFromRuntime(
    guestPath: string,
    hostPath: string | URL,
    options?: CallOptions,
  ): Promise<void> {
    this.#open("copy files");
    const { signal } = parseCallOptions(options);
    const { copyOut } = await import("./files/copy_out.ts");
    const files = this.#context.wall.files("sandbox");
    await copyOut(files, guestPath, hostPath, signal);
  }

  async listFiles(
    guestPath = ".",
    options?: ListOptions,
  ): Promise<FileEntry[]> {
    this.#open("list files");
    const { recursive = true, signal } = parseListOptions(options);
    if (signal?.aborted) throw _aborted(signal, "list files");
    const { cleanGuestPath } = await import("./files/guest_path.ts");
    const path = cleanGuestPath(guestPath, "list files");
    return await this.#context.wall.files("sandbox").list(path, recursive);
  }

  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    if (this.#installing.size) await Promise.allSettled(this.#installing);
    await this.#context.wall.close();
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

function _aborted(
  signal: AbortSignal,
  action = "open a session",
): SandboxError {
  return new SandboxError(
    "ABORTED",
    `Cannot ${action}: the caller aborted it. Call again to start anew.`,
    { cause: signal.reason },
  );
}
