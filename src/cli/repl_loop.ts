import { writeFile } from "node:fs/promises";
import { isSandboxError } from "../errors.ts";
import type { RunResult } from "../result.ts";
import type { Session } from "../session.ts";
import { Exit, ownExit, runExitOf } from "./exit.ts";
import type { ReplLanguage, Step } from "./repl_language.ts";
import type { Lines } from "./repl_lines.ts";
import { reportError } from "./report.ts";
import { readProgram } from "./run_source.ts";
import { printable, type Surface } from "./terminal.ts";

const _help = `.break       forget the lines of an unfinished input
.exit        end the session, as Ctrl-D does
.help        this list
.load FILE   run a file of the host's in the session
.save FILE   write what was entered to a new file
Ctrl-C ends what runs; the session goes on with a fresh interpreter: names and values are lost, files are not.
`;

/** One session at a prompt. */
export class Repl {
  readonly #surface: Surface;
  readonly #session: Session;
  readonly #language: ReplLanguage;
  readonly #lines: Lines;
  readonly #entered: string[] = [];
  #pending: string[] = [];
  #fresh = true;
  #atLineStart = true;
  #exit: number = Exit.ok;

  constructor(
    surface: Surface,
    session: Session,
    language: ReplLanguage,
    lines: Lines,
  ) {
    this.#surface = surface;
    this.#session = session;
    this.#language = language;
    this.#lines = lines;
  }

  /** Goes on until the user or the program ends it; resolves to the exit code. */
  async loop(): Promise<number> {
    const { prompt, more } = this.#language;
    for (;;) {
      if (this.#surface.signal.aborted) return Exit.interrupted;
      if (this.#lines.typed && !this.#atLineStart) this.#say("\n");
      const entry = await this.#lines.next(
        this.#pending.length ? more : prompt,
      );
      let code: number | undefined;
      switch (entry.kind) {
        case "cancel":
          this.#pending = [];
          this.#say("\n(.exit or Ctrl-D ends the session)\n");
          break;
        case "end":
          if (this.#lines.typed) this.#say("\n");
          code = await this.#end();
          return this.#surface.signal.aborted
            ? Exit.interrupted
            : code ?? this.#exit;
        case "line":
          code = await this.#line(entry.text);
      }
      if (code !== undefined) return code;
    }
  }

  async #end(): Promise<number | undefined> {
    // On a terminal Ctrl-D throws away what is unfinished; a file simply ends there.
    if (this.#lines.typed || this.#pending.length === 0) return undefined;
    return await this.#enter(this.#pending.join("\n"), true);
  }

  async #line(line: string): Promise<number | undefined> {
    if (this.#pending.length === 0) {
      if (line.trim() === "") return undefined;
      const [, word, rest = ""] = /^\s*(\.[a-z]\w*)(?:\s+(.*?))?\s*$/i
        .exec(line) ?? [];
      if (word !== undefined) return await this.#command(word, rest);
    } else if (line.trim() === ".break") {
      this.#pending = [];
      return undefined;
    }
    this.#pending.push(line);
    return await this.#enter(this.#pending.join("\n"), false);
  }

  async #enter(text: string, last: boolean): Promise<number | undefined> {
    const step = await this.#try((run) => this.#language.step(text, run, last));
    if (step?.kind === "more") return undefined;
    this.#pending = [];
    if (step?.kind === "done" && step.ok) this.#entered.push(text);
    return step?.kind === "exit" ? ownExit(step.code) : undefined;
  }

  async #command(word: string, rest: string): Promise<number | undefined> {
    try {
      switch (word) {
        case ".help":
          this.#say(_help);
          return undefined;
        case ".exit":
          return this.#exit;
        case ".break":
          return undefined;
        case ".load": {
          if (rest === "") break;
          const text = new TextDecoder().decode(await readProgram(rest));
          const step = await this.#try((run) => this.#language.load(text, run));
          if (step?.kind === "done" && step.ok) this.#entered.push(text);
          return step?.kind === "exit" ? ownExit(step.code) : undefined;
        }
        case ".save": {
          if (rest === "") break;
          const text = this.#entered.map((one) => `${one.trimEnd()}\n`).join(
            "",
          );
          await writeFile(rest, text, { flag: "wx" });
          return undefined;
        }
        default:
          this.#complain(`there is no command ${word}; .help lists them`);
          return undefined;
      }
      this.#complain(`${word} needs the name of a file`);
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      this.#complain(
        code === "EEXIST"
          ? `${rest} is there already; name another file`
          : `${word} failed: ${message}`,
      );
    }
    return undefined;
  }

  /** Runs input; what Mote itself refuses or ends is said, and does not end the session. */
  async #try(
    work: (run: (code: string) => Promise<RunResult>) => Promise<Step>,
  ): Promise<Step | undefined> {
    const stop = new AbortController();
    const { signal } = this.#surface;
    const abort = () => stop.abort(signal.reason);
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    const run = (code: string) => this.#run(code, stop.signal);
    const whole = async () => {
      if (this.#fresh) await this.#language.begin(run);
      this.#fresh = false;
      return await work(run);
    };
    try {
      return await this.#lines.during(whole(), () => stop.abort("Ctrl-C"));
    } catch (error) {
      this.#fresh = true;
      if (isSandboxError(error, "SESSION_CLOSED")) throw error;
      if (!signal.aborted) this.#failed(error);
      return undefined;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  async #run(code: string, signal: AbortSignal): Promise<RunResult> {
    const { out, err } = this.#surface;
    const note = (bytes: Uint8Array) => {
      if (bytes.length > 0) this.#atLineStart = bytes.at(-1) === 10;
    };
    const result = await this.#session.run(code, {
      signal,
      onStdout: (_, bytes) => (note(bytes), out.bytes(bytes)),
      onStderr: (_, bytes) => (note(bytes), err.bytes(bytes)),
    });
    // A program that left its interpreter by a way of its own took it along.
    if (![0, 1].includes(result.exitCode)) this.#fresh = true;
    return result;
  }

  #failed(error: unknown): void {
    if (!this.#atLineStart) this.#surface.err.write("\n");
    this.#atLineStart = true;
    reportError(this.#surface, error);
    // Whoever types has seen it; a script's caller sees the exit code.
    if (!this.#lines.typed) this.#exit = runExitOf(error);
  }

  #complain(text: string): void {
    this.#surface.err.write(`${printable(text)}\n`);
    if (!this.#lines.typed) this.#exit = runExitOf(undefined);
  }

  #say(text: string): void {
    this.#surface.out.write(text);
    this.#atLineStart = true;
  }
}
