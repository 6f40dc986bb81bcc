import type { Argument, Command, Option } from "commander";

/** What can stand at a place of the command line. */
export type Values =
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "files" }
  | { readonly kind: "folders" }
  /** Something that cannot be guessed. */
  | { readonly kind: "any" };

/** An option of a command. */
export interface OptionNode {
  /** `-t`, where it has one. */
  readonly short: string | undefined;
  /** `--timeout` */
  readonly long: string;
  /** What it does, on one line. */
  readonly text: string;
  /** What follows it, in a word of its own; undefined for nothing, or only what stands behind an equals sign. */
  readonly value: Values | undefined;
}

/** A command, as the shells complete it. */
export interface CommandNode {
  /** Its name and those of the commands above it. */
  readonly path: readonly string[];
  /** What it does, on one line. */
  readonly text: string;
  /** Its options. */
  readonly options: readonly OptionNode[];
  /** The first thing that is no option. */
  readonly argument: Values | undefined;
  /** Commands below it. */
  readonly commands: readonly CommandNode[];
}

/** Reads a command of commander's with all below it. */
export function treeOf(
  command: Command,
  above: readonly string[] = [],
): CommandNode {
  const path = [...above, command.name()];
  const help = command.createHelp();
  const [argument] = command.registeredArguments;
  return {
    path,
    text: _line(command.summary() || command.description()),
    options: help.visibleOptions(command).flatMap(_option),
    argument: argument && _valuesOf(argument.name(), argument),
    commands: command.commands.map((one) => treeOf(one, path)),
  };
}

/** A command and all below it, one after the other. */
export function flat(node: CommandNode): CommandNode[] {
  return [node, ...node.commands.flatMap(flat)];
}

function _option(option: Option): OptionNode[] {
  if (!option.long) return [];
  return [{
    short: option.short,
    long: option.long,
    text: _line(option.description),
    value: option.required
      ? _valuesOf(/<([^>]+)>/.exec(option.flags)?.[1] ?? "", option)
      : undefined,
  }];
}

/** The name of a value says what it is, as it does to the reader of the help. */
function _valuesOf(name: string, { argChoices }: Option | Argument): Values {
  if (argChoices) return { kind: "words", words: argChoices };
  if (/^dir\b/.test(name)) return { kind: "folders" };
  if (/^(file|host\[)/.test(name)) return { kind: "files" };
  return { kind: "any" };
}

function _line(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}
