import { createHash } from "node:crypto";
import {
  chmod,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Wheel } from "./pip.ts";

const _lockMs = 24 * 3_600_000;
const _manifest = "manifest.json";

/** A file of an unpacked set of packages. */
export interface StoredFile {
  /** Where it goes, relative to site-packages. */
  readonly path: string;
  /** SHA-256 of its contents, in hex. */
  readonly sha256: string;
}

/** Contents were not what the manifest says. */
export class Damaged extends Error {}

/** Resolved and unpacked packages, kept in the cache directory. */
export class PackageStore {
  readonly #dir: string;

  /** The store in a cache directory. */
  constructor(cacheDir: string) {
    this.#dir = join(cacheDir, "python");
  }

  /** What a set of requirements was resolved to in the last 24 hours. */
  async lockOf(requirements: readonly string[]): Promise<Wheel[] | undefined> {
    try {
      const file = this.#lockFile(requirements);
      const { resolvedMs, wheels } = JSON.parse(await readFile(file, "utf8"));
      const age = Date.now() - resolvedMs;
      return age >= 0 && age < _lockMs ? wheels : undefined;
    } catch {
      return undefined;
    }
  }

  /** Keeps what a set of requirements was resolved to. */
  async keepLock(
    requirements: readonly string[],
    wheels: readonly Wheel[],
  ): Promise<void> {
    const text = JSON.stringify({ resolvedMs: Date.now(), wheels });
    await this.#write(this.#lockFile(requirements), text);
  }

  /** Where an unpacked set of wheels is, made by `unpack` when it is not there. */
  async tree(
    wheels: readonly Wheel[],
    unpack: (target: string) => Promise<void>,
  ): Promise<PackageTree> {
    const pins = wheels.map(({ name, version, sha256 }) =>
      `${name}==${version} ${sha256}`
    );
    const dir = join(this.#dir, "site", _hash(pins.sort().join("\n")));
    const files = await _readManifest(dir);
    if (files) return new PackageTree(dir, files);
    const partial = `${dir}.${crypto.randomUUID()}.part`;
    try {
      await this.#directory(join(this.#dir, "site"));
      await mkdir(partial, { mode: 0o700 });
      await unpack(join(partial, "files"));
      const made = await _hashTree(join(partial, "files"));
      await writeFile(join(partial, _manifest), JSON.stringify(made));
      // Where another process was quicker, what it made is as good and may be in use.
      for (let attempt = 0; !await _readManifest(dir); attempt++) {
        await _putAside(dir);
        await rename(partial, dir).catch((error) => {
          if (attempt === 5) throw error;
        });
      }
      return new PackageTree(dir, await _readManifest(dir) ?? made);
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  }

  #lockFile(requirements: readonly string[]): string {
    const key = _hash([...requirements].sort().join("\n"));
    return join(this.#dir, "locks", `${key}.json`);
  }

  async #write(file: string, text: string): Promise<void> {
    await this.#directory(dirname(file));
    const partial = `${file}.${crypto.randomUUID()}.part`;
    await writeFile(partial, text, { mode: 0o600 });
    await rename(partial, file);
  }

  async #directory(dir: string): Promise<void> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const { mode } = await lstat(dir);
    if (mode & 0o022) await chmod(dir, 0o700);
  }
}

/** An unpacked set of packages. */
export class PackageTree {
  readonly #dir: string;
  /** Its files, directories before what is in them. */
  readonly files: readonly StoredFile[];

  /** A tree with the files of its manifest. */
  constructor(dir: string, files: readonly StoredFile[]) {
    this.#dir = dir;
    this.files = files;
  }

  /** Reads a file; throws {@linkcode Damaged} when it is not what was unpacked. */
  async read({ path, sha256 }: StoredFile): Promise<Uint8Array> {
    const bytes = await readFile(join(this.#dir, "files", path)).catch(() => {
      throw new Damaged(path);
    });
    if (_hash(bytes) !== sha256) throw new Damaged(path);
    return bytes;
  }

  /** The file that lists them, and its hash. */
  async listed(): Promise<{ path: string; sha256: string }> {
    const path = join(this.#dir, _manifest);
    return { path, sha256: _hash(await readFile(path)) };
  }

  /** Removes it, so that it is made anew. */
  async remove(): Promise<void> {
    await _putAside(this.#dir);
  }
}

/** Removes a directory in one step, whoever looks at it meanwhile. */
async function _putAside(dir: string): Promise<void> {
  const aside = `${dir}.${crypto.randomUUID()}.old`;
  await rename(dir, aside).catch(() => {});
  await rm(aside, { recursive: true, force: true });
}

async function _readManifest(dir: string): Promise<StoredFile[] | undefined> {
  try {
    const files = JSON.parse(await readFile(join(dir, _manifest), "utf8"));
    return Array.isArray(files) ? files : undefined;
  } catch {
    return undefined;
  }
}

/** Files of a directory, without scripts and the byte code of other Pythons. */
async function _hashTree(root: string): Promise<StoredFile[]> {
  const found = await readdir(root, { recursive: true, withFileTypes: true });
  const files: StoredFile[] = [];
  for (const entry of found) {
    if (!entry.isFile()) continue;
    const full = join(entry.parentPath, entry.name);
    const path = full.slice(root.length + 1).replaceAll("\\", "/");
    if (/^bin\//.test(path)) continue;
    if (/\.pyc$/.test(path) && !/\.cpython-311\.pyc$/.test(path)) continue;
    files.push({ path, sha256: _hash(await readFile(full)) });
  }
  return files.sort((a, b) => a.path < b.path ? -1 : 1);
}

function _hash(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}
