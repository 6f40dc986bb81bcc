import { addBench } from "./bench.ts";
import type { AddCommand } from "./command.ts";
import { addCompletions } from "./completions.ts";
import { addExplain } from "./explain.ts";
import { addGuest } from "./guest.ts";
import { addHelp } from "./help.ts";
import { addProbe } from "./probe.ts";
import { addRepl } from "./repl.ts";
import { addRun } from "./run.ts";

/** Every command, in the order of the help. */
export const commands: readonly AddCommand[] = [
  addRun,
  addRepl,
  addProbe,
  addExplain,
  addGuest,
  addBench,
  addCompletions,
  addHelp,
];
