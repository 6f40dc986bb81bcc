import type { Backend, CapabilitiesOf, FileStore } from "./backends/backend.ts";
import { SandboxError } from "./errors.ts";
import {
  type Ground,
  type GroundPlan,
  type Grounds,
  openGround,
} from "./ground.ts";
import type { Guard } from "./guard.ts";
import { aborted } from "./host_error.ts";
import type { PreparedPackages } from "./install/install.ts";
import type { Installed } from "./installing.ts";
import type { LanguageData } from "./languages/language.ts";
import type { Opening } from "./opening.ts";
import {
  type BackendChoice,
  type CallOptions,
  type ListOptions,
  parseCallOptions,
  parseListOptions,
  parsePackages,
  parseRunOptions,
  type RunOptions,
} from "./options.ts";
import { type Code, programOf } from "./program.ts";
import type { Reporter } from "./progress.ts";
import type {
  FileEntry,
  InstalledLibrary,
  OutputChunk,
  Progress,
  RunResult,
} from "./result.ts";
import { runProgram, type Sink } from "./run.ts";
import type { ChosenBackend, SafetyReport, Session } from "./session.ts";
import { type RunStream, streamRun } from "./stream.ts";
import { unsupported } from "./support.ts";

/** Before anything is installed, and after all of it is lost. */
export const nothingInstalled: Installed = Object.freeze({
  libraries: Object.freeze([]),
  asked: Object.freeze([]),
});

/** A session that is open. */
export class LiveSession implements Session {
  readonly #plan: GroundPlan;
  readonly #grounds: Grounds;
  readonly #workspace: FileStore;
  readonly #language: LanguageData;
  readonly #report: Reporter;
  readonly #guard: Guard | undefined;
  #backend: ChosenBackend;
  /** Given away when the session has gone over. */
  #over: Opening["over"];
  /** What was put into it. */
  installed: Installed;
  /** The last installation; never rejects. */
  #installing: Promise<unknown> | undefined;
  readonly #closing = new AbortController();
  #closed: Promise<void> | undefined;

  /** A session on grounds that are its own from here on. */
  constructor(
    plan: GroundPlan,
    { language, over }: Opening,
    grounds: Grounds,
    guard: Guard | undefined,
    report: Reporter,
    installed: Installed,
  ) {
    this.#plan = plan;
    this.#grounds = grounds;
    this.#workspace = grounds.files("sandbox");
    this.#language = language;
    this.#report = report;
    this.#guard = guard;
    this.#backend = chosenBackend(plan.backend, grounds.now.reason);
    this.#over = over;
    this.installed = installed;
  }

  /** Which wall it has, and why. */
  get backend(): ChosenBackend {
    return this.#backend;
  }

  /** The image that the container was kept as. */
  get committedImage(): string | undefined {
    return this.#plan.committed.image;
  }

  /** What the wall can do. */
  get capabilities(): CapabilitiesOf<BackendChoice> {
    return this.#grounds.now.capabilities;
  }

  /** Runs code to its end. */
  async run(code: Code, options?: RunOptions): Promise<RunResult> {
    this.#open("run code");
    return await this.#run(code, parseRunOptions(options));
  }

  /** Runs code and hands out its output as it comes. */
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
    const violations = this.#guard && await this.#guard.admit(program);
    if (libraries?.length) {
      await this.install(libraries, signal ? { signal } : {});
    }
    if (this.#installing) {
      await this.#grounds.until(this.#installing, signal, "run code");
    }
    const onReplaced = () => this.installed = nothingInstalled;
    const work = ({ wall, receipt }: Ground) => {
      const files = this.#workspace, { installed } = this;
      const { tools, egress } = this.#plan.outside;
      const said = violations?.length ? { ...receipt, violations } : receipt;
      const context = { wall, files, tools, egress, receipt: said, onReplaced };
      return runProgram(context, program, options, installed.libraries, sink);
    };
    const result = await this.#grounds.run(signal, work);
    if (this.#report.verbose) {
      const { exitCode, timings } = result;
      const ms = timings.totalMs.toFixed(2);
      this.#report.line(`run ended with ${exitCode} after ${ms} ms`);
    }
    return result;
  }

  /** Puts packages into it. */
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
    const { install } = await import("./installing.ts");
    const tell = (progress: Progress) => {
      this.#report.progress(progress);
      onProgress?.(progress);
    };
    const ended = this.#closing.signal;
    const stop = signal ? AbortSignal.any([signal, ended]) : ended;
    const { wall, spec, capabilities } = this.#grounds.now;
    const place = {
      backend: this.#plan.backend,
      spec,
      wall,
      native: capabilities.nativeLibraries,
      goOver: this.#over &&
        ((packages: PreparedPackages) => this.#goOver(packages, signal, tell)),
    };
    try {
      const call = { signal: stop, onProgress: tell };
      const { added, now } = await install(names, place, this.installed, call);
      this.installed = now;
      return added;
    } catch (error) {
      if (!signal?.aborted) this.#open("install packages");
      throw error;
    } finally {
      this.#report.clear();
    }
  }

  /** Says what its policy finds in code. */
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
          this.#backend = chosenBackend(
            this.#plan.backend,
            this.#grounds.now.reason,
          );
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

  /** Copies into the workspace. */
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

  /** Copies out of the workspace. */
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

  /** Lists the workspace. */
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

  /** Ends what runs, waits for it and frees everything. */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([this.#grounds.close(), this.#installing]);
  }

  /** Closes it. */
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

/** How a session says which wall it has. */
export function chosenBackend(
  { name }: Backend,
  reason: string,
): ChosenBackend {
  return { name, reason, toString: () => name };
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
