import type { AddCommand } from "./command.ts";
import { addGuest } from "./guest.ts";
import { addProbe } from "./probe.ts";
import { addRepl } from "./repl.ts";
import { addRun } from "./run.ts";

/** Every command, in the order of the help. */
export const commands: readonly AddCommand[] = [
  addRun,
  addRepl,
  addGuest,
  addProbe,
];
