import type { Command } from "commander";
import type { Action } from "./command.ts";
import { Exit, exitOf } from "./exit.ts";
import { reportError } from "./report.ts";
import { hasColours, paint, type Surface } from "./terminal.ts";

/** Runs a command line with streams of the caller's; resolves to its exit code. */
export async function runCommand(
  args: readonly string[],
  surface: Surface,
): Promise<number> {
  if (args[0] === "--version" || args[0] === "-V") {
    const { version } = await import("./version.ts");
    surface.out.write(`mote ${await version()}\n`);
    return Exit.ok;
  }
  const [{ Command, CommanderError }, { commands }, { withBareNet }] =
    await Promise.all([
      import("commander"),
      import("./commands.ts"),
      import("./session_options.ts"),
    ]);
  let chosen: Action | undefined;
  const program = _dressed(new Command("mote"), surface)
    .description("Runs code that nobody trusts.")
    .helpCommand(false)
    .option("-V, --version", "say which version this is")
    .addHelpText(
      "after",
      "\n`mote help COMMAND` has examples, `mote help exit-codes` and `mote help environment` the rest.",
    );
  for (const add of commands) {
    add(program, (action) => {
      chosen = action;
    });
  }
  try {
    program.parse(withBareNet(args), { from: "user" });
    return chosen ? await chosen(surface) : Exit.usage;
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 1 ? Exit.usage : error.exitCode;
    }
    reportError(surface, error);
    return exitOf(error);
  }
}

/** A command whose text goes to the surface, and those below it. */
function _dressed(command: Command, surface: Surface): Command {
  const { out, err } = surface;
  const bold = (text: string) => `\x1b[1m${text}\x1b[0m`;
  return command
    .showSuggestionAfterError()
    .exitOverride()
    .configureHelp({ styleTitle: bold, styleCommandText: bold })
    .configureOutput({
      writeOut: (text) => out.write(text),
      writeErr: (text) => err.write(text),
      getOutHelpWidth: () => out.columns,
      getErrHelpWidth: () => err.columns,
      getOutHasColors: () => hasColours(surface, out),
      getErrHasColors: () => hasColours(surface, err),
      outputError: (text, write) => write(paint(surface, err, "red", text)),
    });
}
