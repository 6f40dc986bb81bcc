import { SandboxError } from "../errors.ts";
import { type Host, pathOf } from "../host.ts";

/** Where an image is, and the hash that it must have. */
export interface FoundGuest {
  /** Absolute path of the file. */
  readonly path: string;
  /** SHA-256 of the file, in hex. */
  readonly sha256: string;
}

// Reading the list costs a tenth of opening a session, so it is read once.
const _found = new WeakMap<Host, Map<string, FoundGuest>>();

/** Finds the image of a guest: in this package or checkout, or beside MOTE_LIBRARY. */
export function findGuest(name: string, host: Host): FoundGuest {
  let found = _found.get(host);
  if (!found) _found.set(host, found = new Map());
  let guest = found.get(name);
  if (!guest) found.set(name, guest = _find(name, host));
  return guest;
}

function _find(name: string, host: Host): FoundGuest {
  const looked: string[] = [];
  for (const folder of imageFolders(host)) {
    const index = `${folder}/images.json`;
    looked.push(index);
    const text = host.readText(index);
    if (text === undefined) continue;
    const entry = _entry(text, name, index);
    if (!entry) continue;
    const path = `${folder}/${entry.file}`;
    if (host.exists(path)) return { path, sha256: entry.sha256 };
    looked.push(path);
  }
  throw new SandboxError(
    "GUEST_NOT_FOUND",
    `Cannot open a session: there is no ${name} guest image at ${
      looked.join(" or ")
    }. ` +
      `Run \`deno task build\` in a checkout, or install the package again.`,
  );
}

/** Where images may be: in this package or checkout, and beside MOTE_LIBRARY. */
export function imageFolders(host: Host): string[] {
  const folders: string[] = [];
  const own = new URL("../../guests/images", import.meta.url);
  if (own.protocol === "file:") folders.push(pathOf(own, host.platform));
  const library = host.env("MOTE_LIBRARY");
  if (library) folders.push(library.replace(/[\\/][^\\/]*$/, ""));
  return folders;
}

function _entry(
  text: string,
  name: string,
  index: string,
): { file: string; sha256: string } | undefined {
  let entry;
  try {
    const images = JSON.parse(text);
    if (!Object.hasOwn(images, name)) return undefined;
    entry = images[name];
  } catch {
    throw _invalid(index, "it is not JSON");
  }
  const { file, sha256 } = entry ?? {};
  if (typeof file !== "string" || !/^[\w][\w.-]*$/.test(file)) {
    throw _invalid(index, `the file of ${name} is not a file name`);
  }
  if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256)) {
    throw _invalid(index, `the hash of ${name} is not a SHA-256`);
  }
  return { file, sha256 };
}

function _invalid(index: string, state: string): SandboxError {
  return new SandboxError(
    "GUEST_INVALID",
    `Cannot read the list of guest images ${index}: ${state}. Install the package again.`,
  );
}
