import { SandboxError } from "../errors.ts";

const _name = "[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?";
const _extras = `\\[ *${_name}(?: *, *${_name})* *\\]`;
const _clause = "(?:~=|===?|!=|<=?|>=?) *[A-Za-z0-9.*+!_-]+";
const _pattern = new RegExp(
  `^(${_name}) *(${_extras})? *(${_clause}(?: *, *${_clause})*)?$`,
);

/** A package that was asked for. */
export interface Requirement {
  /** Its name, in the one spelling that the index uses. */
  readonly name: string;
  /** The whole requirement, without blanks. */
  readonly text: string;
}

/** The one spelling of a package's name. */
export function normalName(name: string): string {
  return name.replace(/[-_.]+/g, "-").toLowerCase();
}

/**
 * Takes names with extras and versions, such as `rich[jupyter]>=13,<14`. Options
 * of the installer, URLs, paths and markers are none and are refused.
 */
export function parseRequirement(value: string): Requirement {
  const match = value.length <= 256 ? _pattern.exec(value.trim()) : null;
  if (!match) {
    throw new SandboxError(
      "INVALID_OPTION",
      `Cannot install packages: ${
        JSON.stringify(value.slice(0, 80))
      } is not a package's name with an optional version. Write it like "humanize" or "rich>=13,<14".`,
    );
  }
  const [, name = "", extras = "", versions = ""] = match;
  const text = `${normalName(name)}${extras}${versions}`.replaceAll(" ", "");
  return { name: normalName(name), text };
}
