import type { Command } from "commander";
import type { Surface } from "./terminal.ts";

/** Runs a command; resolves to its exit code. */
export type Action = (surface: Surface) => Promise<number>;

/** Is told which action the command line asks for. */
export type Choose = (action: Action) => void;

/** Adds one command to those that there are. Its module does nothing until its action runs. */
export type AddCommand = (parent: Command, choose: Choose) => void;

/** Adds examples to the end of a command's help: each a command line and what it does. */
export function examples(
  command: Command,
  lines: readonly (readonly [line: string, what: string])[],
): Command {
  const width = Math.max(...lines.map(([line]) => line.length));
  const text = lines.map(([line, what]) =>
    `  ${line.padEnd(width)}  # ${what}`
  );
  return command.addHelpText("after", `\nExamples:\n${text.join("\n")}`);
}
