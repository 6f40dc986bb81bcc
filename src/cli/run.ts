import { SandboxError, type SandboxErrorCode } from "../errors.ts";
import type { Language } from "../options.ts";
import type { LimitName, RunResult } from "../result.ts";
import type { Session } from "../session.ts";
import { type AddCommand, examples } from "./command.ts";
import { Exit, ownExit, RunExit, runExitOf } from "./exit.ts";
import { isEnding, reportError } from "./report.ts";
import type { KeptArtifact } from "./run_files.ts";
import {
  addSessionOptions,
  type SessionFlags,
  sessionOptions,
} from "./session_options.ts";
import { paint, printable, type Surface } from "./terminal.ts";
import { collect, usage } from "./values.ts";

/** What the command line of `mote run` says. */
export interface RunFlags extends SessionFlags {
  readonly code?: string;
  readonly copy?: readonly string[];
  readonly artifacts?: string;
  readonly overwrite?: boolean;
  readonly stdin: boolean;
  readonly json?: boolean;
}

/** Opens a session; `createSession`, but for tests. */
export type Open = (
  options: { readonly lang?: Language; readonly signal?: AbortSignal },
) => Promise<Session>;

const _patienceMs = 2_000;

/** Messages of the API name its options; these are the same ones here. */
const _hints: Readonly<Partial<Record<SandboxErrorCode, string>>> = {
  TIMED_OUT: "--timeout, --cpu",
  MEMORY_EXCEEDED: "--memory",
  OUTPUT_EXCEEDED: "--output-limit",
};

/** `mote run` */
export const addRun: AddCommand = (parent, choose) => {
  const run = parent.command("run")
    .summary("run a program in a sandbox")
    .usage("[options] [FILE|-] [-- ARGS...]")
    .description(
      "Runs FILE, standard input (-), or the text after -c, and passes its output on as it comes. The language is that of " +
        "the file's ending, else python. Standard input goes to the program, unless it is a terminal or the program is " +
        "read from it. Ends with the program's exit code, or with 120 to 125 where it did not come to that: see " +
        "`mote help exit-codes`.",
    )
    .argument("[file]", "the program")
    .argument("[args...]", "its arguments, after --")
    .option("-c, --code <text>", "the program itself")
    .option(
      "--copy <host[:guest]>",
      "copy a file or folder into the workspace first; may be repeated",
      collect,
    )
    .option("--artifacts <dir>", "write files there that the program made")
    .option(
      "--overwrite",
      "let --artifacts replace files in a folder that has some",
    )
    .option("--no-stdin", "give the program no standard input")
    .option(
      "--json",
      "print one JSON object: exitCode, stdout, stderr, artifacts, timings, receipt, or error",
    );
  addSessionOptions(run);
  examples(run, [
    ["mote run -c 'print(6 * 7)'", "text as a program"],
    ["mote run report.py -- --year 2026", "a file with arguments"],
    ["mote run --copy sales.csv --artifacts out report.py", "files in and out"],
    ["mote run --allow-net=api.example.com:443 fetch.js", "one host, no other"],
    ["mote run -t 5s -m 128 --json - < code.py", "limits; all as JSON"],
  ]);
  run.exitOverride((error) => {
    if (error.exitCode !== 0) error.exitCode = RunExit.usage;
    throw error;
  });
  run.action(
    (file: string | undefined, args: string[], flags: RunFlags) =>
      choose(async (surface) => {
        const { createSession } = await import("../../mod.ts");
        return await runOn(surface, file, args, flags, createSession as Open);
      }),
  );
};

/** Runs a program on a surface; resolves to the exit code. */
export async function runOn(
  surface: Surface,
  file: string | undefined,
  args: readonly string[],
  flags: RunFlags,
  open: Open,
): Promise<number> {
  try {
    return await _run(surface, file, args, flags, open);
  } catch (error) {
    if (flags.json) _print(surface, _failure(error));
    else if (!isEnding(surface, error)) {
      reportError(surface, error);
      const hint = _hints[(error as SandboxError).code];
      if (hint) surface.err.write(`On the command line: ${hint}.\n`);
    }
    return isEnding(surface, error) ? Exit.interrupted : runExitOf(error);
  }
}

async function _run(
  surface: Surface,
  file: string | undefined,
  args: readonly string[],
  flags: RunFlags,
  open: Open,
): Promise<number> {
  const { signal } = surface;
  // After -c every word is the program's.
  const own = flags.code === undefined || file === undefined
    ? args
    : [file, ...args];
  const [{ findSource }, files] = await Promise.all([
    import("./run_source.ts"),
    import("./run_files.ts"),
  ]);
  const copies = (flags.copy ?? []).map(files.parseCopy);
  if (flags.artifacts !== undefined) {
    const overwrite = flags.overwrite === true;
    await files.checkArtifactsFolder(flags.artifacts, overwrite);
  } else if (flags.overwrite) {
    const cure = "Add --artifacts DIR";
    throw usage("--overwrite", "no files are written", cure);
  }
  const { code, lang, fromInput } = await findSource(
    flags.code,
    file,
    flags.lang,
    surface.in,
    signal,
  );
  const options = sessionOptions(flags, lang);
  const stdin = await _stdin(surface, flags, fromInput);
  const session = await open({ ...options, signal });
  try {
    for (const { host, guest } of copies) {
      await session.copyToRuntime(host, guest, { signal });
    }
    const { result, error } = await _ran(session.run(code, {
      stdin,
      args: own,
      signal,
      ...(!flags.json && {
        onStdout: (_: string, bytes: Uint8Array) => surface.out.bytes(bytes),
        onStderr: (_: string, bytes: Uint8Array) => surface.err.bytes(bytes),
      }),
    }));
    const kept = await files.keepArtifacts(
      session,
      result.artifacts,
      signal.aborted ? undefined : flags.artifacts,
      signal,
    );
    if (flags.json) {
      _print(surface, error ? _failure(error, kept) : _success(result, kept));
    } else {
      const limit = error ? undefined : result.limitHit;
      _sayKept(surface, limit, kept, flags.artifacts !== undefined);
    }
    if (error && flags.json) return runExitOf(error);
    if (error) throw error;
    const lost = kept.some(({ refused }) => refused !== undefined);
    return lost && result.exitCode === 0
      ? RunExit.failed
      : ownExit(result.exitCode);
  } finally {
    await session.close();
  }
}

/** A run's result, also that of one that was ended. */
async function _ran(
  run: Promise<RunResult>,
): Promise<{ result: RunResult; error?: SandboxError }> {
  try {
    return { result: await run };
  } catch (error) {
    if (error instanceof SandboxError && error.result) {
      return { result: error.result, error };
    }
    throw error;
  }
}

async function _stdin(
  surface: Surface,
  flags: RunFlags,
  used: boolean,
): Promise<Uint8Array> {
  if (used || !flags.stdin || surface.in.isTerminal) return new Uint8Array();
  const { readInput } = await import("./run_source.ts");
  // A pipe that nobody closes would look like a program that hangs.
  const notice = setTimeout(() =>
    surface.err.write(
      "mote: waiting for the end of standard input, which the program gets; --no-stdin gives it none\n",
    ), _patienceMs);
  try {
    return await readInput(surface.in, surface.signal);
  } finally {
    clearTimeout(notice);
  }
}

function _print(surface: Surface, value: unknown): void {
  // JSON leaves these as they are, and some terminals act on them.
  const text = JSON.stringify(value).replace(
    /[\x7f-\x9f]/g,
    (one) => `\\u00${one.charCodeAt(0).toString(16)}`,
  );
  surface.out.write(`${text}\n`);
}

function _success(
  result: RunResult,
  artifacts: readonly KeptArtifact[],
): Record<string, unknown> {
  const { exitCode, stdout, stderr, timings, limitHit, receipt } = result;
  return {
    exitCode,
    stdout,
    stderr,
    ..._base64("stdoutBase64", stdout, result.stdoutBytes),
    ..._base64("stderrBase64", stderr, result.stderrBytes),
    artifacts,
    timings,
    ...(limitHit && { limitHit }),
    receipt,
  };
}

/** The bytes, where the text is not all of them. */
function _base64(
  name: string,
  text: string,
  bytes: Uint8Array,
): Record<string, string> {
  if (!text.includes("\ufffd")) return {};
  let binary = "";
  for (let at = 0; at < bytes.length; at += 8_192) {
    binary += String.fromCharCode(...bytes.subarray(at, at + 8_192));
  }
  return { [name]: btoa(binary) };
}

function _failure(
  error: unknown,
  artifacts: readonly KeptArtifact[] = [],
): Record<string, unknown> {
  if (!(error instanceof SandboxError)) {
    const message = error instanceof Error ? error.message : String(error);
    return { error: { code: "INTERNAL", message } };
  }
  const { code, message, violations, result } = error;
  return {
    error: { code, message, ...(violations && { violations }) },
    ...(result && { result: _success(result, artifacts) }),
  };
}

function _sayKept(
  surface: Surface,
  limitHit: LimitName | undefined,
  kept: readonly KeptArtifact[],
  asked: boolean,
): void {
  const { err } = surface;
  if (limitHit) {
    err.write(`mote: the program ran into its limit of ${limitHit}\n`);
  }
  if (!asked) return;
  for (const { refused } of kept) {
    if (refused === undefined) continue;
    const word = paint(surface, err, "red", refused.code);
    err.write(`${word}: ${printable(refused.message)}\n`);
  }
  const written = kept.filter(({ file }) => file !== undefined).length;
  const most = kept.length === 100 ? ", the most that a run hands back" : "";
  err.write(`mote: ${written} of ${kept.length} artifacts written${most}\n`);
}
