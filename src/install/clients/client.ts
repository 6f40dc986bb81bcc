import { SandboxError } from "../../errors.ts";

/** A program that installs packages, as it is used inside a container that has nothing but an image and a network. */
export interface InstallClient {
  /** Its name, for people. */
  readonly name: string;
  /** What a package may look like, its name in the first group; what the client would take for an option, a path or an address is none. */
  readonly pattern: RegExp;
  /** What a package looks like, for people. */
  readonly example: string;
  /**
   * A script for `sh` that puts packages, its arguments, below `$LIBRARIES` and writes `$INSTALLED`: a line for each that
   * was installed, with name, version, SHA-256 and integrity between tabs. `$SCRATCH` is a folder for it alone. It
   * needs no privileges.
   */
  readonly script: string;
  /** The line that says why it failed, where that is not the last one. */
  readonly telling?: RegExp;
  /** Variables of the host that say which registries its own client uses. */
  readonly passedOn: readonly string[];
}

/** Packages by their names; a later version of one takes the place of an earlier one. Refuses what is no package. */
export function byName(
  client: InstallClient,
  packages: readonly string[],
): Map<string, string> {
  const found = new Map<string, string>();
  for (const one of packages) {
    const name = one.length <= 214 ? client.pattern.exec(one)?.[1] : undefined;
    if (name !== undefined) {
      found.set(name, one);
      continue;
    }
    throw new SandboxError(
      "INVALID_OPTION",
      `Cannot install packages: ${
        JSON.stringify(one.slice(0, 80))
      } is no package as ${client.name} installs it. Write it like ${client.example}.`,
    );
  }
  return found;
}
