import { createHash } from "node:crypto";
import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import type { ElfFacts } from "./elf.ts";

const _facts = "guest.json";
const _elf = "guest.elf";

/** What is known of a built guest. */
export interface BuiltFacts extends ElfFacts {
  /** The name of its crate. */
  readonly name: string;
  /** What it was built for. */
  readonly target: string;
  /** Hash of the file, in hex. */
  readonly sha256: string;
  /** Size of the file. */
  readonly bytes: number;
  /** When it was built, in ms since 1970. */
  readonly builtMs: number;
  /** Versions of the tools that built it. */
  readonly tools: readonly string[];
}

/** A guest in the cache. */
export interface BuiltGuest extends BuiltFacts {
  /** What it was built from, as a hash. */
  readonly key: string;
  /** The file, absolute. */
  readonly path: string;
}

/** An entry of the cache as it lies there. */
export interface BuiltEntry {
  /** Its key. */
  readonly key: string;
  /** When it was last used, in ms since 1970. */
  readonly usedMs: number;
  /** The guest; undefined when the entry is damaged. */
  readonly guest: BuiltGuest | undefined;
}

/** Guests that the toolkit has built, by the hash of all that went into them. */
export class BuiltGuests {
  /** Where they are. */
  readonly dir: string;

  /** The ones in a cache directory. */
  constructor(cacheDir: string) {
    this.dir = join(cacheDir, "elf", "built");
  }

  /** A guest that is whole; a damaged one is removed. */
  async find(key: string): Promise<BuiltGuest | undefined> {
    const entry = await this.#read(key);
    if (!entry) return undefined;
    if (!entry.guest) {
      await this.remove(key);
      return undefined;
    }
    const now = new Date();
    await utimes(join(this.dir, key, _facts), now, now).catch(() => {});
    return entry.guest;
  }

  /** Keeps a guest: all of it, or nothing. */
  async keep(
    key: string,
    elf: string,
    facts: Omit<BuiltFacts, "sha256" | "bytes">,
  ): Promise<BuiltGuest> {
    await mkdir(this.dir, { recursive: true, mode: 0o700 });
    const partial = join(this.dir, `${key}.${crypto.randomUUID()}.part`);
    try {
      await mkdir(partial, { mode: 0o700 });
      await copyFile(elf, join(partial, _elf));
      await chmod(join(partial, _elf), 0o600);
      const bytes = await readFile(join(partial, _elf));
      const whole: BuiltFacts = {
        ...facts,
        sha256: _hash(bytes),
        bytes: bytes.length,
      };
      await writeFile(join(partial, _facts), JSON.stringify(whole, null, 2));
      const dir = join(this.dir, key);
      // Another process may have kept the same guest meanwhile; it is as good.
      await rename(partial, dir).catch(async (error) => {
        if (!(await this.#read(key))?.guest) throw error;
      });
      return { ...whole, key, path: join(dir, _elf) };
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  }

  /** Every entry, newest use first. */
  async list(): Promise<BuiltEntry[]> {
    const names = await readdir(this.dir).catch(() => []);
    const read = await Promise.all(
      names.filter((name) => /^[0-9a-f]+$/.test(name)).map((key) =>
        this.#read(key)
      ),
    );
    return read.filter((entry) => entry !== undefined)
      .sort((a, b) => b.usedMs - a.usedMs);
  }

  /** Removes an entry in one step, whoever looks at it meanwhile. */
  async remove(key: string): Promise<void> {
    const aside = join(this.dir, `${key}.${crypto.randomUUID()}.old`);
    await rename(join(this.dir, key), aside).catch(() => {});
    await rm(aside, { recursive: true, force: true });
  }

  async #read(key: string): Promise<BuiltEntry | undefined> {
    const dir = join(this.dir, key);
    const data = await lstat(dir).catch(() => undefined);
    if (!data) return undefined;
    const used = await stat(join(dir, _facts)).catch(() => data);
    return { key, usedMs: used.mtimeMs, guest: await this.#guest(key) };
  }

  async #guest(key: string): Promise<BuiltGuest | undefined> {
    const path = join(this.dir, key, _elf);
    try {
      const facts: BuiltFacts = JSON.parse(
        await readFile(join(this.dir, key, _facts), "utf8"),
      );
      const bytes = await readFile(path);
      return _hash(bytes) === facts.sha256
        ? { ...facts, key, path }
        : undefined;
    } catch {
      return undefined;
    }
  }
}

function _hash(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}
