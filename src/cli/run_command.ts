import type { Action } from "./command.ts";
import { Exit, exitOf } from "./exit.ts";
import { paint, printableLines, type Surface } from "./terminal.ts";

/** Runs a command line with streams of the caller's; resolves to its exit code. */
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
