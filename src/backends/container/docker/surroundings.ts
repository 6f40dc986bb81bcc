import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import process from "node:process";

/** What finding an engine asks of the machine. */
export interface Surroundings {
  /** The operating system, as Node names it. */
  readonly platform: string;
  /** The home directory. */
  readonly home: string;
  /** An environment variable; undefined also when it is empty or may not be read. */
  env(name: string): string | undefined;
  /** A file's text; undefined when there is none or it may not be read. */
  read(path: string): string | undefined;
  /** Whether something is there, a socket too. */
  exists(path: string): boolean;
}

/** This machine. */
export function thisMachine(): Surroundings {
  const tried = <T>(what: () => T): T | undefined => {
    try {
      return what();
    } catch {
      return undefined;
    }
  };
  return {
    platform: process.platform,
    home: tried(homedir) ?? "/",
    env: (name) => tried(() => process.env[name]) || undefined,
    read: (path) => tried(() => readFileSync(path, "utf8")),
    exists: (path) => tried(() => existsSync(path)) ?? false,
  };
}
