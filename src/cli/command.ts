import type { Command } from "commander";
import type { Surface } from "./terminal.ts";

/** Runs a command; resolves to its exit code. */
export type Action = (surface: Surface) => Promise<number>;

/** Is told which action the command line asks for. */
export type Choose = (action: Action) => void;

/** Adds one command to those that there are. Its module does nothing until its action runs. */
export type AddCommand = (parent: Command, choose: Choose) => void;
