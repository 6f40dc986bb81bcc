import type { Session } from "../session.ts";
import { type AddCommand, examples } from "./command.ts";
import { Exit, RunExit, runExitOf } from "./exit.ts";
import { isEnding, reportError } from "./report.ts";
import type { Open } from "./run.ts";
import {
  addSessionOptions,
  type SessionFlags,
  sessionOptions,
} from "./session_options.ts";
import { paint, printable, type Surface } from "./terminal.ts";

/** What the command line of `mote repl` says. */
export interface ReplFlags extends SessionFlags {
  readonly history: boolean;
}

/** `mote repl` */
export const addRepl: AddCommand = (parent, choose) => {
  const repl = parent.command("repl")
    .summary("an interactive session in a sandbox")
    .description(
      "Runs what is typed, line by line, in one interpreter, and prints the value of expressions as the language's own " +
        "prompt does. Ctrl-C ends what runs, Ctrl-D the session; .help lists the commands. What is typed is kept for the " +
        "next time, readable by you alone. Lines also come from a file or pipe, then without prompts. Ends with the code " +
        "that the program exits with, else 0; see `mote help exit-codes`.",
    )
    .option("--no-history", "neither read nor keep what is typed");
  addSessionOptions(repl, ["python", "javascript"]);
  examples(repl, [
    ["mote repl", "Python"],
    ["mote repl -l javascript -m 64", "JavaScript in 64 MiB"],
    ["mote repl -w humanize", "with a library"],
    ["mote repl < commands.txt", "lines of a file, without prompts"],
  ]);
  repl.exitOverride((error) => {
    if (error.exitCode !== 0) error.exitCode = RunExit.usage;
    throw error;
  });
  repl.action((flags: ReplFlags) =>
    choose(async (surface) => {
      const { createSession } = await import("../../mod.ts");
      return await replOn(surface, flags, createSession as Open);
    })
  );
};

/** Runs an interactive session on a surface; resolves to the exit code. */
export async function replOn(
  surface: Surface,
  flags: ReplFlags,
  open: Open,
): Promise<number> {
  let session: Session | undefined;
  try {
    const lang = flags.lang ?? "python";
    const options = { ...sessionOptions(flags, lang), interactive: true };
    session = await open({ ...options, signal: surface.signal });
    return await _talk(surface, flags, lang, session);
  } catch (error) {
    if (isEnding(surface, error)) return Exit.interrupted;
    reportError(surface, error);
    return runExitOf(error);
  } finally {
    await session?.close();
  }
}

async function _talk(
  surface: Surface,
  flags: ReplFlags,
  lang: string,
  session: Session,
): Promise<number> {
  const [language, { Repl }, { openLines }, kept, { default: process }] =
    await Promise.all([
      lang === "javascript"
        ? import("./repl_javascript.ts").then((one) => one.javascriptRepl)
        : import("./repl_python.ts").then((one) => one.pythonRepl),
      import("./repl_loop.ts"),
      import("./repl_lines.ts"),
      import("./repl_history.ts"),
      import("node:process"),
    ]);
  const typed = surface.in.isTerminal && surface.out.isTerminal;
  const file = typed && flags.history
    ? kept.historyFile(lang, process.env)
    : undefined;
  const without = (error: unknown): undefined => {
    const { message } = error as Error;
    surface.err.write(`mote: no history: ${printable(message)}\n`);
  };
  const before = file && await kept.readHistory(file).catch(without);
  const lines = await openLines(surface, before || []);
  if (typed) {
    const { name, reason } = session.backend;
    const title = paint(surface, surface.out, "bold", language.title);
    surface.out.write(
      `${title} in ${name} (${
        printable(reason)
      })\n.help lists commands, Ctrl-D ends\n`,
    );
  }
  try {
    return await new Repl(surface, session, language, lines).loop();
  } finally {
    lines.close();
    // What could not be read is not written over.
    if (file && before) {
      await kept.writeHistory(file, lines.history).catch(without);
    }
  }
}
