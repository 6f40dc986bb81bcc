import { createHash } from "node:crypto";
import { mkdir, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { FileStore } from "../backends/backend.ts";
import { SandboxError } from "../errors.ts";
import { chunkBytes, throwIfAborted } from "../host_error.ts";
import { parallel } from "./parallel.ts";
import type { FileEntry, InstalledLibrary } from "../result.ts";

const _keptMs = 24 * 3_600_000;
const _mostEntries = 500_000;
const _mostBytes = 4 * 1_024 * 1_048_576;
const _action = "install packages";
/** A name of our own for what a tree says it holds: no path of it is one of the host. */
const _blob = (index: number) => `${index}.bin`;

/** A file, directory or link of a tree. */
interface Kept {
  readonly path: string;
  readonly kind: FileEntry["kind"];
  readonly mode: number;
  readonly target?: string;
  /** Of a file: where its bytes are, and what they hash to. */
  readonly blob?: number;
  readonly sha256?: string;
}

/** A tree of packages that was installed before. */
export interface KeptTree {
  /** What it holds. */
  readonly libraries: readonly InstalledLibrary[];
  readonly dir: string;
  readonly entries: readonly Kept[];
}

/** Trees that clients made in containers, kept in the cache directory for 24 hours. What is in them is a guest's. */
export class TreeStore {
  readonly #dir: string;

  /** The store in a cache directory. */
  constructor(cacheDir: string) {
    this.#dir = join(cacheDir, "containers");
  }

  /** The tree that was kept under a key. */
  async find(key: string): Promise<KeptTree | undefined> {
    const dir = join(this.#dir, _hash(key));
    try {
      const text = await readFile(join(dir, "manifest.json"), "utf8");
      const { madeMs, libraries, entries } = JSON.parse(text);
      const age = Date.now() - madeMs;
      return age >= 0 && age < _keptMs
        ? { libraries, entries, dir }
        : undefined;
    } catch {
      return undefined;
    }
  }

  /** Keeps what is in a container's folder. */
  async keep(
    key: string,
    files: FileStore,
    libraries: readonly InstalledLibrary[],
    signal: AbortSignal | undefined,
  ): Promise<KeptTree> {
    const dir = join(this.#dir, _hash(key));
    const partial = `${dir}.${crypto.randomUUID()}.part`;
    await mkdir(partial, { recursive: true, mode: 0o700 });
    try {
      const found = await files.list(".", true);
      const bytes = found.reduce((sum, { size }) => sum + size, 0);
      if (found.length > _mostEntries || bytes > _mostBytes) {
        throw new SandboxError(
          "INSTALL_FAILED",
          `Cannot ${_action}: they are more than 500,000 files or 4 GiB. Install fewer.`,
        );
      }
      const entries: Kept[] = new Array(found.length);
      await parallel(files, found, async (entry, index) => {
        throwIfAborted(signal, _action);
        const { path, kind, mode, target } = entry;
        entries[index] = {
          path,
          kind,
          mode,
          ...(kind === "symlink" && { target: target ?? "" }),
          ...(kind === "file" && {
            blob: index,
            sha256: await _save(files, entry, join(partial, _blob(index))),
          }),
        };
      });
      const manifest = { madeMs: Date.now(), libraries, entries };
      await writeFile(join(partial, "manifest.json"), JSON.stringify(manifest));
      await rm(dir, { recursive: true, force: true });
      // Where another process was quicker, what it made is as good.
      await rename(partial, dir).catch(() => {});
      return await this.find(key) ?? { libraries, entries, dir };
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  }

  /** Lets a tree take the place of all that is in a folder of a container. */
  async put(
    { dir, entries }: KeptTree,
    files: FileStore,
    signal: AbortSignal | undefined,
    progress: (done: number, total: number) => void,
  ): Promise<void> {
    for (const { path } of await files.list(".", false)) {
      await files.remove(path);
    }
    for (const { path, kind } of entries) {
      throwIfAborted(signal, _action);
      if (kind === "directory") await files.mkdir(path);
    }
    let done = 0;
    const inside = entries.filter(({ kind }) => kind === "file");
    await parallel(files, inside, async ({ path, mode, blob, sha256 }) => {
      throwIfAborted(signal, _action);
      await _load(files, path, mode, join(dir, _blob(blob!)), sha256!);
      if (done++ % 64 === 0) progress(done, inside.length);
    });
    for (const { path, kind, target } of entries) {
      if (kind === "symlink") await files.symlink(path, target!);
    }
    progress(inside.length, inside.length);
  }

  /** Forgets a tree. */
  async drop({ dir }: KeptTree): Promise<void> {
    await rm(dir, { recursive: true, force: true });
  }
}

/** A kept tree is not what was kept. */
export class DamagedTree extends Error {}

async function _save(
  files: FileStore,
  { path, size }: FileEntry,
  to: string,
): Promise<string> {
  const hash = createHash("sha256");
  const file = await open(to, "wx", 0o600);
  try {
    for (let at = 0; at < size;) {
      const { bytes, eof } = await files.read(path, at, chunkBytes);
      if (bytes.byteLength === 0) break;
      hash.update(bytes);
      await file.write(bytes);
      at += bytes.byteLength;
      if (eof) break;
    }
  } finally {
    await file.close();
  }
  return hash.digest("hex");
}

async function _load(
  files: FileStore,
  path: string,
  mode: number,
  from: string,
  sha256: string,
): Promise<void> {
  const bytes = await readFile(from).catch(() => {
    throw new DamagedTree(path);
  });
  if (createHash("sha256").update(bytes).digest("hex") !== sha256) {
    throw new DamagedTree(path);
  }
  for (let at = 0; at === 0 || at < bytes.byteLength; at += chunkBytes) {
    const part = bytes.subarray(at, at + chunkBytes);
    await files.write(path, part, {
      offset: at === 0 ? null : at,
      mode: mode & 0o777,
    });
  }
}

function _hash(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}
