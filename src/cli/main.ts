/**
 * The command `mote`.
 *
 * @module
 */
import type { Action } from "./command.ts";
import { Exit, exitOf } from "./exit.ts";
import {
  type Output,
  paint,
  printableLines,
  type Surface,
} from "./terminal.ts";

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

/** The same with streams of the caller's. */
export async function runCommand(
  args: readonly string[],
  surface: Surface,
): Promise<number> {
  const [{ Command, CommanderError }, { commands }] = await Promise.all([
    import("commander"),
    import("./commands.ts"),
  ]);
  let chosen: Action | undefined;
  const program = new Command("mote")
    .description("Runs code that nobody trusts.")
    .helpCommand(false)
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => surface.out.write(text),
      writeErr: (text) => surface.err.write(text),
      getOutHelpWidth: () => surface.out.columns,
      getErrHelpWidth: () => surface.err.columns,
      outputError: (text, write) =>
        write(paint(surface, surface.err, "red", text)),
    })
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 failed, 2 wrong command line, 3 something is missing on this machine, 130 interrupted.\n" +
        "Environment: MOTE_CACHE_DIR, MOTE_LIBRARY, MOTE_LOG, NO_COLOR.",
    );
  for (const add of commands) {
    add(program, (action) => {
      chosen = action;
    });
  }
  try {
    program.parse(args, { from: "user" });
    if (!chosen) return Exit.usage;
    return await chosen(surface);
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? Exit.ok : Exit.usage;
    }
    _report(surface, error);
    return exitOf(error);
  }
}

function _report(surface: Surface, error: unknown): void {
  const { code, message, stack } = error as {
    code?: string;
    message?: string;
    stack?: string;
  };
  const word = paint(surface, surface.err, "red", code ?? "error");
  const text = code ? message : stack;
  surface.err.write(`${word}: ${printableLines(text ?? String(error))}\n`);
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
