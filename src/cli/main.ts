/**
 * The command `mote`.
 *
 * @module
 */
import type { Readable, Writable } from "node:stream";
import { Exit } from "./exit.ts";
import { runCommand } from "./run_command.ts";
import type { Output, Surface } from "./terminal.ts";

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
  const { default: process } = await import("node:process");
  const stop = new AbortController();
  let code: number | undefined;
  const end = (signal: "SIGINT" | "SIGTERM") => {
    // The second time somebody means it.
    if (code !== undefined) process.exit(code);
    code = signal === "SIGINT" ? Exit.interrupted : Exit.terminated;
    stop.abort(signal);
  };
  // Whoever read the output has gone away: nothing that is still printed reaches anybody.
  const unread = () => {
    code ??= Exit.unread;
    stop.abort("EPIPE");
  };
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
  process.stdout.on("error", unread);
  process.stderr.on("error", unread);
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  const surface: Surface = {
    in: {
      get isTerminal() {
        return process.stdin.isTTY === true;
      },
      stream: () => process.stdin as unknown as Readable,
    },
    out: _output(process.stdout as unknown as _Stream),
    err: _output(process.stderr as unknown as _Stream),
    signal: stop.signal,
    colours: !NO_COLOR && TERM !== "dumb" && FORCE_COLOR !== "0",
    forceColours: !!FORCE_COLOR && FORCE_COLOR !== "0",
  };
  try {
    const ended = await runCommand(args, surface);
    return code ?? ended;
  } finally {
    process.off("SIGINT", end);
    process.off("SIGTERM", end);
    process.stdout.off("error", unread);
    process.stderr.off("error", unread);
  }
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
  let code = await main(process.argv.slice(2));
  for (const stream of [process.stdout, process.stderr]) {
    await new Promise<void>((done) => {
      stream.on("error", () => {
        if (code === Exit.ok) code = Exit.unread;
        done();
      });
      stream.write("", () => done());
    });
  }
  // Not left to the event loop: a standard input that nobody ends would hold it.
  return process.exit(code);
}

type _Stream = Writable & { isTTY?: boolean; columns?: number };

function _output(stream: _Stream): Output {
  return {
    stream,
    get isTerminal() {
      return stream.isTTY === true;
    },
    get columns() {
      return stream.columns ?? 80;
    },
    write: (text) => void stream.write(text),
    // An error of the stream comes as its event too, which ends the command.
    bytes: (chunk) => new Promise((done) => stream.write(chunk, () => done())),
  };
}

if (import.meta.main) await start();
