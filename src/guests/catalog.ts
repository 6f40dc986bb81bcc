import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { cacheDir } from "../cache.ts";
import { type Host, loadHost } from "../host.ts";
import { throwIfAborted } from "../host_error.ts";
import { BuiltGuests } from "./built.ts";
import { imageFolders } from "./find.ts";

/** What an entry is: an image of the package, one compiled for this machine, a module of a session's compiled, a guest that was built, or the folder of a build. */
export type GuestKind = "image" | "compiled" | "module" | "built" | "folder";

/** A guest, or what was made of one. */
export interface GuestEntry {
  /** What it is. */
  readonly kind: GuestKind;
  /** Its name. */
  readonly name: string;
  /** Where it is, absolute. */
  readonly path: string;
  /** Its size with all that is in it. */
  readonly bytes: number;
  /** The hash that it must have, in hex; absent where each file has its own. */
  readonly sha256?: string;
  /** When it was made, in ms since 1970. */
  readonly madeMs: number;
  /** When it was last used, as far as that is known, in ms since 1970. */
  readonly usedMs: number;
  /** One line for people. */
  readonly text: string;
}

/** An entry, and what is wrong with it. */
export interface CheckedGuest extends GuestEntry {
  /** What is wrong; absent when nothing is. */
  readonly fault?: string;
}

/** Which entries {@linkcode pruneGuests} removes. */
export interface PruneOptions {
  /** Not used for so long, in ms; 0 removes all. */
  readonly unusedMs: number;
  /** Removes nothing. */
  readonly dryRun: boolean;
  /** Stops between two entries. */
  readonly signal?: AbortSignal | undefined;
}

const _compiled = /^[0-9a-f]{32}-[0-9a-f]{16}$/;

/** Every guest of this package and of the cache. */
export async function listGuests(): Promise<GuestEntry[]> {
  const host = await loadHost();
  const cache = cacheDir(host);
  const lists = await Promise.all([
    _images(host),
    _compiledIn(join(cache, "guests"), "compiled"),
    _compiledIn(join(cache, "modules"), "module"),
    _built(cache),
    _folders(cache),
  ]);
  return lists.flat();
}

/** Hashes every guest again. */
export async function verifyGuests(
  signal?: AbortSignal,
): Promise<CheckedGuest[]> {
  const checked: CheckedGuest[] = [];
  for (const entry of await listGuests()) {
    throwIfAborted(signal, "verify guests");
    if (entry.kind === "folder") continue;
    const fault = await _fault(entry);
    checked.push(fault === undefined ? entry : { ...entry, fault });
  }
  return checked;
}

/** Removes from the cache what was not used lately, and what is damaged. */
export async function pruneGuests(
  { unusedMs, dryRun, signal }: PruneOptions,
): Promise<GuestEntry[]> {
  const removed: GuestEntry[] = [];
  const now = Date.now();
  for (const entry of await listGuests()) {
    throwIfAborted(signal, "prune guests");
    if (entry.kind === "image") continue;
    const old = now - entry.usedMs >= unusedMs;
    const broken = entry.kind === "built" && await _fault(entry) !== undefined;
    if (!old && !broken) continue;
    if (!dryRun) await _remove(entry.path);
    removed.push(entry);
  }
  return removed;
}

async function _images(host: Host): Promise<GuestEntry[]> {
  const entries = new Map<string, GuestEntry>();
  for (const folder of imageFolders(host)) {
    const text = host.readText(`${folder}/images.json`);
    if (text === undefined) continue;
    const images = JSON.parse(text) as Record<
      string,
      { file: string; sha256: string }
    >;
    for (const [name, { file, sha256 }] of Object.entries(images)) {
      const path = `${folder}/${file}`;
      const data = await stat(path).catch(() => undefined);
      // The first folder is the one that sessions take it from.
      if (!data || entries.has(name)) continue;
      entries.set(name, {
        kind: "image",
        name,
        path,
        bytes: data.size,
        sha256,
        madeMs: data.mtimeMs,
        usedMs: data.mtimeMs,
        text: "image of this package",
      });
    }
  }
  return [...entries.values()];
}

async function _compiledIn(
  dir: string,
  kind: "compiled" | "module",
): Promise<GuestEntry[]> {
  const entries: GuestEntry[] = [];
  for (const name of await readdir(dir).catch(() => [])) {
    if (!_compiled.test(name)) continue;
    const path = join(dir, name);
    const data = await lstat(path).catch(() => undefined);
    if (!data?.isDirectory()) continue;
    const facts = await _json(join(path, "guest.json"));
    const named = typeof facts?.name === "string" ? facts.name : "";
    const version = typeof facts?.version === "string" ? facts.version : "";
    entries.push({
      kind,
      name: named || name.slice(0, 12),
      path,
      bytes: await _sizeOf(path),
      madeMs: data.mtimeMs,
      usedMs: data.mtimeMs,
      text: kind === "module"
        ? "a session's own module, compiled for this machine"
        : `${named} ${version}, compiled for this machine`.trim(),
    });
  }
  return entries;
}

async function _built(cache: string): Promise<GuestEntry[]> {
  const guests = new BuiltGuests(cache);
  return (await guests.list()).map(({ key, usedMs, guest }) => ({
    kind: "built",
    name: guest?.name ?? key.slice(0, 12),
    path: guest?.path.replace(/[\\/][^\\/]*$/, "") ?? join(guests.dir, key),
    bytes: guest?.bytes ?? 0,
    ...(guest && { sha256: guest.sha256 }),
    madeMs: guest?.builtMs ?? usedMs,
    usedMs,
    text: guest
      ? `own guest for ${guest.target}, Hyperlight ${guest.hyperlight}`
      : "damaged",
  }));
}

/** Build folders that were kept, and whatever an interrupted process left. */
async function _folders(cache: string): Promise<GuestEntry[]> {
  const entries: GuestEntry[] = [];
  const add = async (path: string, name: string, text: string) => {
    const data = await lstat(path).catch(() => undefined);
    if (!data?.isDirectory()) return;
    const { mtimeMs } = data;
    const bytes = await _sizeOf(path);
    const [madeMs, usedMs] = [data.birthtimeMs || mtimeMs, mtimeMs];
    entries.push({ kind: "folder", name, path, bytes, madeMs, usedMs, text });
  };
  const builds = join(cache, "elf", "build");
  for (const name of await readdir(builds).catch(() => [])) {
    await add(join(builds, name), name, "build folder");
  }
  for (const dir of [join(cache, "elf"), join(cache, "elf", "built")]) {
    for (const name of await readdir(dir).catch(() => [])) {
      if (/\.(part|old)$/.test(name)) {
        await add(join(dir, name), name, "left over");
      }
    }
  }
  return entries;
}

async function _fault({ kind, path, sha256 }: GuestEntry): Promise<
  string | undefined
> {
  switch (kind) {
    case "image":
      return await _hash(path) === sha256 ? undefined : "another hash";
    case "built":
      // Reading the list has hashed it: a damaged one has no hash.
      return sha256 === undefined ? "not as it was built" : undefined;
    default:
      return await _stampFault(path);
  }
}

/** What the library wrote beside compiled files when it had made them. */
async function _stampFault(dir: string): Promise<string | undefined> {
  const stamp = await _json(join(dir, "stamp.json"));
  if (!Array.isArray(stamp?.files)) return "no stamp";
  for (const { name, sha256 } of stamp.files) {
    if (typeof name !== "string" || name.includes("/")) return "a bad stamp";
    if (await _hash(join(dir, name)) !== sha256) {
      return `another hash of ${name}`;
    }
  }
}

async function _hash(path: string): Promise<string | undefined> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk);
    return hash.digest("hex");
  } catch {
    return undefined;
  }
}

async function _json(
  path: string,
): Promise<Record<string, unknown> | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch {
    return undefined;
  }
}

async function _sizeOf(dir: string): Promise<number> {
  let bytes = 0;
  const found = await readdir(dir, { recursive: true, withFileTypes: true })
    .catch(() => []);
  for (const entry of found) {
    if (!entry.isFile()) continue;
    const data = await lstat(join(entry.parentPath, entry.name)).catch(
      () => {},
    );
    bytes += data?.size ?? 0;
  }
  return bytes;
}

/** In one step, whoever looks at it meanwhile. */
async function _remove(path: string): Promise<void> {
  const aside = `${path}.${crypto.randomUUID()}.old`;
  await rename(path, aside).catch(() => {});
  await rm(aside, { recursive: true, force: true });
}
