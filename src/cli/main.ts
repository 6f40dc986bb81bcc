/**
 * The command `mote`.
 *
 * @module
 */
import type { Readable } from "node:stream";
import { Exit, RunExit } from "./exit.ts";
import { runCommand } from "./run_command.ts";
import type { Surface } from "./terminal.ts";
import { Writer } from "./writer.ts";

/**
 * Runs a command line and resolves to its exit code; what it prints goes to this process's streams.
 *
 * @example
 * ```ts
 * import { main } from "@mote/sandbox/cli";
 *
 * const code = await main(["guest", "list"]);
 * console.log(code); // 0
 * ```
 */
export async function main(args: readonly string[]): Promise<number> {
  return await _run(args, () => Promise.resolve());
}

/**
 * Runs this process's command line and ends the process.
 *
 * @example
 * ```ts no-run
 * import { start } from "@mote/sandbox/cli";
 *
 * await start();
 * ```
 */
export async function start(): Promise<never> {
  const { default: process } = await import("node:process");
  const args = process.argv.slice(2);
  const code = await _run(args, async (out, err) => {
    await Promise.all([out.flushed(), err.flushed()]);
  });
  // Not left to the event loop: a standard input that nobody ends would hold it.
  return process.exit(code);
}

async function _run(
  args: readonly string[],
  finish: (out: Writer, err: Writer) => Promise<void>,
): Promise<number> {
  const { default: process } = await import("node:process");
  const stop = new AbortController();
  let code: number | undefined;
  const end = (signal: "SIGINT" | "SIGTERM") => {
    // The second time somebody means it.
    if (code !== undefined) process.exit(code);
    code = signal === "SIGINT" ? Exit.interrupted : Exit.terminated;
    stop.abort(signal);
  };
  // Nothing that is still printed reaches anybody: whoever read it has gone away, or the disk is full.
  const unread = (error: { code?: string; message: string }) => {
    if (code !== undefined) return;
    const failed = args[0] === "run" || args[0] === "repl"
      ? RunExit.failed
      : Exit.failed;
    code = error.code === "EPIPE" ? Exit.unread : failed;
    if (error.code !== "EPIPE") {
      err.write(`mote: cannot write the output: ${error.message}\n`);
    }
    stop.abort("output");
  };
  const out = new Writer(process.stdout as unknown as Writer["stream"], unread);
  const err = new Writer(process.stderr as unknown as Writer["stream"], unread);
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  const surface: Surface = {
    in: {
      get isTerminal() {
        return process.stdin.isTTY === true;
      },
      stream: () => process.stdin as unknown as Readable,
    },
    out,
    err,
    signal: stop.signal,
    colours: !NO_COLOR && TERM !== "dumb" && FORCE_COLOR !== "0",
    forceColours: !!FORCE_COLOR && FORCE_COLOR !== "0",
  };
  try {
    const ended = await runCommand(args, surface);
    await finish(out, err);
    return code ?? ended;
  } finally {
    process.off("SIGINT", end);
    process.off("SIGTERM", end);
    out.release();
    err.release();
  }
}

if (import.meta.main) await start();
