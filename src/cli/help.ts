import { Argument, type Command } from "commander";
import { type AddCommand, examples } from "./command.ts";
import { Exit } from "./exit.ts";
import { usage } from "./values.ts";

/** Texts that belong to no single command. */
export const topics: Readonly<Record<string, string>> = {
  "exit-codes": `Exit codes

Of every command:
    0  all went well
    1  it did not, and stderr says why
    2  the command line is wrong
    3  something is missing on this machine, and stderr says how to get it
  130  Ctrl-C, after everything was cleaned up
  141  whoever read the output has gone away
  143  SIGTERM, after everything was cleaned up

Of \`mote run\` and \`mote repl\`: the program's own, modulo 256 but never 0 unless it was 0, and
  120  the command line is wrong, or asks for what the backend cannot do
       (INVALID_OPTION, UNSUPPORTED, FILE_NOT_FOUND)
  121  something is missing on this machine
       (BACKEND_UNAVAILABLE, TOOLCHAIN_MISSING, GUEST_NOT_FOUND)
  122  a policy refused the code (POLICY_VIOLATION)
  123  a limit was passed (MEMORY_EXCEEDED, OUTPUT_EXCEEDED, DISK_EXCEEDED)
  124  a time limit was passed, as \`timeout\` says it (TIMED_OUT)
  125  anything else that kept the program from its end, or its files from being written

stderr then begins a line with the error's code. A program may end with 120 to 125 too: with
\`--json\` the object has \`error\` where it was Mote, and \`exitCode\` alone where it was the program.
`,
  environment: `Environment

MOTE_CACHE_DIR  where compiled and built guests are kept; else mote in the user's cache folder
MOTE_LIBRARY    the native library to load
MOTE_LOG        "info" says on stderr what is going on, as --verbose does
NO_COLOR        no colours, whatever its value
FORCE_COLOR     colours also where no terminal is; "0" for none
XDG_STATE_HOME  below it \`mote repl\` keeps what was typed; else ~/.local/state
`,
};

/** `mote help` */
export const addHelp: AddCommand = (parent, choose) => {
  const names = Object.keys(topics).join(", ");
  const words = new Argument("[words...]", "the command, or the topic");
  // For completions; not by choices(), which would refuse the second word of two.
  words.argChoices = _words(parent);
  const help = parent.command("help")
    .summary("help on a command or topic")
    .description(`Shows the help of a command, or of a topic: ${names}.`)
    .addArgument(words);
  examples(help, [
    ["mote help run", "a command"],
    ["mote help guest build", "a command below another"],
    ["mote help exit-codes", "a topic"],
  ]);
  help.action((words: string[]) => {
    const topic = words.length === 1 && Object.hasOwn(topics, words[0]!)
      ? topics[words[0]!]
      : undefined;
    const command = topic ? parent : _find(parent, words);
    choose((surface) => {
      if (topic) surface.out.write(topic);
      else command.outputHelp();
      return Promise.resolve(Exit.ok);
    });
  });
};

function _find(root: Command, words: readonly string[]): Command {
  let command = root;
  for (const word of words) {
    const next = command.commands.find((one) => one.name() === word);
    if (!next) {
      throw usage(
        JSON.stringify(words.join(" ")),
        "there is no such command or topic",
        `Give one of ${_words(root).join(", ")}`,
      );
    }
    command = next;
  }
  return command;
}

function _words(root: Command): string[] {
  return [...root.commands.map((one) => one.name()), ...Object.keys(topics)];
}
