/**
 * The command `mote`.
 *
 * @module
 */
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
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
  const surface: Surface = {
    out: _output(process.stdout),
    err: _output(process.stderr),
    signal: stop.signal,
    colours: !process.env.NO_COLOR,
  };
  try {
    const ended = await runCommand(args, surface);
    return code ?? ended;
  } finally {
    process.off("SIGINT", end);
    process.off("SIGTERM", end);
  }
}

function _output(
  stream: { isTTY?: boolean; columns?: number; write(text: string): unknown },
): Output {
  return {
    get isTerminal() {
      return stream.isTTY === true;
    },
    get columns() {
      return stream.columns ?? 80;
    },
    write: (text) => void stream.write(text),
  };
}

if (import.meta.main) {
  const { default: process } = await import("node:process");
  process.exitCode = await main(process.argv.slice(2));
}
