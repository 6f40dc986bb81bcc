import { SandboxError } from "../errors.ts";

/** Where the workspace is in the guest. */
export const workspace = "/sandbox";

/**
 * A guest path as the backends take it: relative to the workspace, without
 * empty and dot segments; the workspace itself is ".".
 */
export function cleanGuestPath(path: unknown, action: string): string {
  if (typeof path !== "string" || path === "") {
    throw new SandboxError(
      "INVALID_OPTION",
      `Cannot ${action}: the guest path is ${
        path === "" ? "empty" : "not a string"
      }. Give a path in ${workspace}.`,
    );
  }
  const refused = (state: string) =>
    new SandboxError(
      "PATH_REFUSED",
      `Cannot ${action}: the guest path ${
        JSON.stringify(path)
      } ${state}. Give a path in ${workspace}.`,
    );
  if (path.includes("\0")) throw refused("has a NUL character");
  if (new TextEncoder().encode(path).length > 4_096) {
    throw refused("is longer than 4,096 bytes");
  }
  const segments: string[] = [];
  // An absolute path has to walk through the workspace before anything else.
  let above = path.startsWith("/");
  for (const segment of path.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (above) {
      if (segment !== workspace.slice(1)) throw refused("is not in it");
      above = false;
    } else if (segment !== "..") {
      segments.push(segment);
    } else if (segments.pop() === undefined) {
      throw refused("leaves it");
    }
  }
  if (above) throw refused("is not in it");
  return segments.length ? segments.join("/") : ".";
}

/** The path of something in a directory of the workspace. */
export function within(directory: string, name: string): string {
  return directory === "." ? name : `${directory}/${name}`;
}

/** The directory of a clean path; undefined for the workspace itself. */
export function parentOf(path: string): string | undefined {
  if (path === ".") return undefined;
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "." : path.slice(0, slash);
}

/** The last segment of a clean path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
