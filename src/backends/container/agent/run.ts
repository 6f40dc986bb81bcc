import {
  type ContainerLanguage,
  fill,
  type Places as FilledPlaces,
} from "../../../languages/language.ts";
import type { ResolvedLimits } from "../../../options.ts";
import type { LimitName } from "../../../result.ts";
import type { RunFailure, RunOutcome, RunRequest } from "../../backend.ts";
import { type Done, DriverCalls, turnWord, Uncaught } from "./calls.ts";
import type { AgentClient, AgentLoss, Places } from "./client.ts";
import { isSandboxError } from "../../../errors.ts";
import { AgentFiles, Root } from "./files.ts";
import { AgentProcess, type Launch, type LaunchLimits } from "./process.ts";
import { type Report, windowBytes } from "./process.ts";
import { RunOutput } from "./output.ts";
import { type Stop, verdict } from "./verdict.ts";

const _encoder = new TextEncoder();
const _decoder = new TextDecoder();
const _mib = 1_048_576;
const _chunkBytes = 1_048_576;
/** The agent ends a run in milliseconds; after so long it is not believed to any more. */
const _killMs = 2_000;
/** An interpreter may take so long until it runs the code. */
const _startMs = 10_000;
/** Credit is given in portions, as each is a frame. */
const _creditBytes = 262_144;

/** What the runs of a session have in common. */
export interface RunSettings {
  /** Its language. */
  readonly language: ContainerLanguage;
  /** Its limits. */
  readonly limits: ResolvedLimits;
  /** Its tools. */
  readonly tools: readonly string[];
  /** Whether the interpreter is kept between runs. */
  readonly interactive: boolean;
  /** Working directory. */
  readonly workdir: string;
  /** Where the box has what. */
  readonly places: Places;
  /** The session's environment, which the box has. */
  readonly env: Readonly<Record<string, string>>;
  /** Environment beside it and the language's. */
  readonly more: Readonly<Record<string, string>>;
}

/** An interpreter that waits for its next run. */
export interface Living {
  /** Its process, stopped until then. */
  readonly process: AgentProcess;
}

/** What a run left. */
export interface RunEnd {
  /** For the caller. */
  readonly outcome: RunOutcome;
  /** The interpreter that goes on, if it does. */
  readonly living?: Living | undefined;
  /** The agent did not do as it was told, or is gone: the box is of no use any more. */
  readonly broken?: AgentLoss | "deaf" | undefined;
}

interface Ending {
  readonly report?: Report;
  readonly settled?: boolean;
  readonly loss?: AgentLoss | "deaf";
}

/** One run: compiles, where the language does, and runs, under one clock. */
export class AgentRun {
  readonly #request: RunRequest;
  readonly #settings: RunSettings;
  readonly #called: number;
  readonly #output: RunOutput;
  #client: AgentClient | undefined;
  #startedMs: number | undefined;
  #codeMs: number | undefined;
  #stop: Stop | undefined;
  #stopped: (() => void) | undefined;
  #leave: ((end: RunEnd) => void) | undefined;
  #process: AgentProcess | undefined;
  #ending: ((ending: Ending) => void) | undefined;
  #deaf: ReturnType<typeof setTimeout> | undefined;
  #clock: ReturnType<typeof setTimeout> | undefined;
  #done: Done | undefined;
  #named: { file: string; main: string } | undefined;
  #calls: DriverCalls | undefined;
  #sent: Promise<void> = Promise.resolve();
  #controlUsed = 0;
  #outputUsed = 0;
  /** Settles when it is stopped before its turn has come. */
  readonly left: Promise<RunEnd>;

  /** A run that waits for its turn. */
  constructor(request: RunRequest, settings: RunSettings) {
    this.#called = performance.now();
    this.#request = request;
    this.#settings = settings;
    this.left = new Promise((resolve) => this.#leave = resolve);
    this.#output = new RunOutput(
      request,
      settings.limits,
      () => this.stop({ why: "output" }),
      (bytes) => this.#consumed(bytes),
    );
    request.signal?.addEventListener("abort", this.#abort);
    if (request.signal?.aborted) this.#abort();
  }

  /** Whether it was stopped already. */
  get isStopped(): boolean {
    return this.#stop !== undefined;
  }

  readonly #abort = (): void => this.stop({ why: "aborted" });

  /** Ends it; the first reason stays. */
  stop(stop: Stop): void {
    if (this.#stop) return;
    this.#stop = stop;
    this.#stopped?.();
    this.#kill();
    if (this.#startedMs === undefined) {
      this.#leave?.({ outcome: this.#outcome(undefined, false) });
    }
  }

  #kill(): void {
    if (!this.#process || this.#process.over) return;
    this.#process.kill();
    this.#output.release(windowBytes);
    this.#deaf ??= setTimeout(
      () => this.#ending?.({ loss: "deaf" }),
      _killMs,
    );
  }

  /** Runs it, its turn having come. */
  async run(
    client: AgentClient,
    living: Living | undefined,
  ): Promise<RunEnd> {
    this.#client = client;
    this.#startedMs = performance.now();
    const timeMs = this.#request.timeMs ?? this.#settings.limits.timeMs;
    // The clock of code with a driver begins with the code: starting an interpreter takes what it takes.
    const driven = this.#settings.language.driver !== undefined;
    this.#setClock(timeMs + (driven ? _startMs : 0));
    let ending: Ending = {};
    try {
      if (!this.#stop) ending = await this.#phases(client, living, timeMs);
    } catch (error) {
      if (client.loss) ending = { loss: client.loss };
      else if (isSandboxError(error)) {
        const { code, message } = error;
        this.#stop ??= { why: "refused", failure: { code, message } };
      } else throw error;
    } finally {
      clearTimeout(this.#clock);
      clearTimeout(this.#deaf);
      this.#calls?.end();
      this.#request.signal?.removeEventListener("abort", this.#abort);
    }
    // A consumer that takes nothing any more does not keep an ended run from its result, but one that does is waited for.
    await this.#output.rest;
    const process = this.#process;
    const goesOn = ending.settled && process && !process.over && !this.#stop;
    return {
      outcome: this.#outcome(ending, this.#settings.interactive && !goesOn),
      living: goesOn ? { process } : undefined,
      broken: ending.loss,
    };
  }

  async #phases(
    client: AgentClient,
    living: Living | undefined,
    timeMs: number,
  ): Promise<Ending> {
    const { language, interactive, places } = this.#settings;
    const { code, stdin } = this.#request;
    const files = new AgentFiles(client, Root.run);
    const file = this.#places.file.slice(places.run.length + 1);
    const written = [_put(files, file, _bytes(code))];
    for (const [path, text] of Object.entries(language.files ?? {})) {
      written.push(_put(files, path, _bytes(text)));
    }
    const lives = interactive && language.driver !== undefined;
    if (lives) written.push(_put(files, "stdin", _bytes(stdin)));
    const all = Promise.all(written);
    all.catch(() => {});
    if (language.compile) {
      await all;
      const command = this.#words(language.compile);
      const ending = await this.#start(
        client,
        { command, keepsFolder: true },
        timeMs,
      );
      const { report } = ending;
      if (!report || report.status !== 0 || this.#stop) return ending;
    }
    if (living) return await this.#turn(living, timeMs, all);
    const command = this.#words(language.run);
    if (language.driver) {
      const at = language.run.indexOf("{file}");
      const ending = language.driver === "python" ? "py" : "mjs";
      const driver = `${places.run}/driver.${ending}`;
      const mode = lives ? "living" : "once";
      command.splice(at, 1, driver, mode, language.file, places.libraries);
    }
    if (!lives) command.push(...this.#request.args);
    const launch = { command, keepsFolder: false, driver: language.driver };
    const ending = this.#start(
      client,
      { ...launch, living: lives },
      timeMs,
      all,
    );
    if (lives) this.#tell(turnWord(this.#request.args));
    return await ending;
  }

  #words(words: readonly string[]): string[] {
    return words.map((word) => fill(word, this.#places));
  }

  /** What the language's words stand for with this program. */
  get #places(): FilledPlaces {
    const { language, places, limits } = this.#settings;
    const { code } = this.#request;
    const text = typeof code === "string" ? code : _decoder.decode(code);
    const { file, main } = this.#named ??= language.names?.(text) ??
      { file: language.file, main: "" };
    return {
      file: `${places.run}/${file}`,
      dir: places.run,
      libraries: places.libraries,
      workspace: places.sandbox,
      main,
      heapMb: String(Math.max(1, Math.floor(limits.memoryMb * 3 / 4))),
    };
  }

  /** Environment of the language, as far as the session does not say otherwise. */
  #env(): Record<string, string> {
    const { language, env } = this.#settings;
    const given = Object.entries({ ...language.env, ...this.#settings.more })
      .filter(([name]) => !Object.hasOwn(env, name));
    const own = given.map(([name, value]) => [name, this.#words([value])[0]!]);
    const path = this.#words(language.path ?? []).join(":");
    if (path !== "" && !Object.hasOwn(env, "PATH")) own.push(["+PATH", path]);
    return Object.fromEntries(own);
  }

  #setClock(timeMs: number): void {
    clearTimeout(this.#clock);
    this.#clock = setTimeout(() => this.stop({ why: "time" }), timeMs);
  }

  #launchLimits(runMs: number): LaunchLimits {
    const { cpuMs, memoryMb } = this.#settings.limits;
    const timeMs = runMs + (this.#settings.language.driver ? _startMs : 0);
    return { timeMs, cpuMs: cpuMs ?? 0, memoryBytes: memoryMb * _mib };
  }

  async #start(
    client: AgentClient,
    what: Pick<Launch, "command" | "keepsFolder"> & Partial<Launch>,
    timeMs: number,
    written?: Promise<unknown>,
  ): Promise<Ending> {
    const { workdir, limits } = this.#settings;
    const process = new AgentProcess(client);
    const ended = this.#attach(process);
    const started = process.start({
      env: this.#env(),
      cwd: workdir,
      living: false,
      dataBytes: what.driver ? limits.memoryMb * _mib : 0,
      limits: this.#launchLimits(timeMs),
      ...what,
    }, "run code");
    await this.#guard(process, ended, Promise.all([started, written]));
    if (!what.driver) this.#codeMs ??= performance.now();
    if (what.living) process.inputEnd(0);
    else this.#feed(process, what.keepsFolder);
    return await ended;
  }

  /** Waits for what has to go well for a process to be of use. */
  async #guard(
    process: AgentProcess,
    ended: Promise<Ending>,
    needed: Promise<unknown>,
  ): Promise<void> {
    try {
      await needed;
    } catch (error) {
      if (!process.over) {
        process.kill();
        await ended;
      }
      throw error;
    }
  }

  #feed(process: AgentProcess, compiles: boolean): void {
    const stdin = compiles ? new Uint8Array(0) : _bytes(this.#request.stdin);
    const fed = process.input(0, stdin);
    fed.then(() => process.inputEnd(0), () => {});
  }

  async #turn(
    { process }: Living,
    timeMs: number,
    written: Promise<unknown>,
  ): Promise<Ending> {
    const ended = this.#attach(process);
    process.resume(this.#launchLimits(timeMs));
    this.#tell(turnWord(this.#request.args));
    await this.#guard(process, ended, written);
    return await ended;
  }

  /** Takes what comes from a process, and settles when it has ended or settled. */
  #attach(process: AgentProcess): Promise<Ending> {
    const { limits, tools } = this.#settings;
    this.#process = process;
    const calls = new DriverCalls(this.#request, limits, tools, {
      ready: () => {
        if (this.#codeMs !== undefined) return;
        this.#codeMs = performance.now();
        this.#setClock(this.#request.timeMs ?? limits.timeMs);
      },
      done: (done) => {
        if (this.#done) return;
        this.#done = done;
        if (!this.#settings.interactive) return;
        // What filled the memory is held by the state.
        if (done.flags & Uncaught.memory) process.kill();
        else process.settle();
      },
      send: (bytes) => this.#tell(bytes),
    });
    this.#calls = calls;
    return new Promise((resolve) => {
      this.#ending = resolve;
      process.sink = {
        output: (stream, bytes) => this.#output.push(stream, bytes),
        control: (bytes) => {
          calls.take(bytes);
          this.#controlUsed += bytes.byteLength;
          if (this.#controlUsed < _creditBytes) return;
          process.credit("control", this.#controlUsed);
          this.#controlUsed = 0;
        },
        ended: (report) => resolve({ report }),
        settled: (report) => resolve({ report, settled: true }),
        lost: (loss) => resolve({ loss }),
      };
      if (this.#stop) this.#kill();
    });
  }

  /** Words for the driver, one after the other. */
  #tell(bytes: Uint8Array): void {
    const process = this.#process;
    this.#sent = this.#sent.then(() => process?.input(3, bytes));
  }

  #consumed(bytes: number): void {
    this.#outputUsed += bytes;
    if (this.#outputUsed < _creditBytes) return;
    this.#process?.credit("output", this.#outputUsed);
    this.#outputUsed = 0;
  }

  #outcome(ending: Ending | undefined, stateLost: boolean): RunOutcome {
    const endedMs = performance.now();
    const started = this.#startedMs ?? endedMs;
    const code = this.#codeMs ?? endedMs;
    const { firstMs, cut } = this.#output;
    const { exitCode, limitHit, failure } = verdict({
      stop: this.#stop,
      report: ending?.report,
      done: this.#done,
      failedCalls: this.#calls?.failed,
      callLimited: this.#calls?.limited === true,
      cut,
      limits: this.#settings.limits,
      timeMs: this.#request.timeMs ?? this.#settings.limits.timeMs,
      driven: this.#settings.language.driver !== undefined,
      outOfMemory: this.#settings.language.outOfMemory,
      complaint: this.#output.tail,
      stateLost,
    });
    return {
      exitCode,
      stdout: this.#output.all("stdout"),
      stderr: this.#output.all("stderr"),
      timings: {
        queuedMs: started - this.#called,
        startMs: code - started,
        runMs: endedMs - code,
        totalMs: endedMs - this.#called,
        ...(firstMs !== undefined && { firstByteMs: firstMs - this.#called }),
      },
      ...(limitHit && { limitHit: limitHit as LimitName }),
      changed: ending?.report?.changed ?? [],
      ...(failure && { failure: failure as RunFailure }),
    };
  }
}

async function _put(
  files: AgentFiles,
  path: string,
  bytes: Uint8Array,
): Promise<void> {
  const pieces: Promise<void>[] = [];
  for (let at = 0; at === 0 || at < bytes.byteLength; at += _chunkBytes) {
    const piece = bytes.subarray(at, at + _chunkBytes);
    pieces.push(files.writeNow(path, piece, at === 0 ? null : at));
  }
  await Promise.all(pieces);
}

function _bytes(value: string | Uint8Array): Uint8Array {
  return typeof value === "string" ? _encoder.encode(value) : value;
}
