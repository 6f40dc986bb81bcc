import type { AddCommand } from "./command.ts";
import { addExplain } from "./explain.ts";
import { addGuest } from "./guest.ts";
import { addProbe } from "./probe.ts";

/** Every command, in the order of the help. */
export const commands: readonly AddCommand[] = [addGuest, addProbe, addExplain];
