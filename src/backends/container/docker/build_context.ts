import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir, readFile, readlink, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import ignore from "@balena/dockerignore";
import tar from "tar-stream";
import { SandboxError } from "../../../errors.ts";
import { hostError, throwIfAborted } from "../../../host_error.ts";

/** One file, directory or link of a context. */
interface Entry {
  /** Where it is, from the context's folder, with slashes. */
  readonly name: string;
  readonly type: "file" | "directory" | "symlink";
  readonly mode: number;
  readonly size: number;
  readonly linkname?: string;
}

/** What an image is built from. */
export interface BuildContext {
  /** The context's folder, absolute. */
  readonly folder: string;
  /** The Dockerfile's name in it. */
  readonly dockerfile: string;
  /** Hash of everything in it, in hex. */
  readonly hash: string;
  /** What is in it. */
  readonly entries: readonly Entry[];
}

/** Finds a Dockerfile, given as the file or its folder, and reads all that its build can see. */
export async function readContext(
  path: string,
  signal: AbortSignal | undefined,
): Promise<BuildContext> {
  const action = `build ${path}`;
  try {
    const given = resolve(path);
    const isFolder = (await _found(given, path)).isDirectory();
    const file = isFolder ? join(given, "Dockerfile") : given;
    if (isFolder) await _found(file, path);
    const [folder, dockerfile] = [dirname(file), basename(file)];
    const entries: Entry[] = [];
    await _walk(
      folder,
      "",
      await _ignored(folder, dockerfile),
      entries,
      () => throwIfAborted(signal, action),
    );
    const hash = createHash("sha256").update(`${dockerfile}\0`);
    for (const { name, type, mode, size, linkname } of entries) {
      throwIfAborted(signal, action);
      hash.update(`${type}\0${name}\0${mode}\0${size}\0${linkname ?? ""}\0`);
      if (type !== "file") continue;
      for await (const chunk of createReadStream(join(folder, name))) {
        hash.update(chunk as Uint8Array);
      }
    }
    return { folder, dockerfile, hash: hash.digest("hex"), entries };
  } catch (error) {
    throw hostError(error, action);
  }
}

async function _found(path: string, given: string) {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as { code?: string }).code !== "ENOENT") throw error;
    throw new SandboxError(
      "FILE_NOT_FOUND",
      `Cannot build ${given}: there is no ${path}. Give a Dockerfile, or the folder of one.`,
      { cause: error },
    );
  }
}

/** What .dockerignore leaves out. */
interface Ignored {
  readonly has: (name: string) => boolean;
  /** Whether something in a folder that is left out can be in again. */
  readonly excepts: boolean;
}

async function _ignored(folder: string, dockerfile: string): Promise<Ignored> {
  for (const name of [`${dockerfile}.dockerignore`, ".dockerignore"]) {
    const text = await readFile(join(folder, name), "utf8").catch((error) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (text === undefined) continue;
    const rules = ignore.default({
      ignorecase: false,
    }).add(text);
    // The engine itself reads these two.
    const kept = new Set([dockerfile, name]);
    return {
      has: (path) => !kept.has(path) && rules.ignores(path),
      excepts: /^\s*!/m.test(text),
    };
  }
  return { has: () => false, excepts: false };
}

async function _walk(
  folder: string,
  below: string,
  ignored: Ignored,
  found: Entry[],
  check: () => void,
): Promise<void> {
  const names = await readdir(join(folder, below));
  for (const one of names.sort()) {
    check();
    const name = below === "" ? one : `${below}/${one}`;
    const out = ignored.has(name);
    const path = join(folder, name);
    const status = await lstat(path);
    const mode = status.mode & 0o7777;
    if (status.isDirectory()) {
      if (!out) found.push({ name, type: "directory", mode, size: 0 });
      if (!out || ignored.excepts) {
        await _walk(folder, name, ignored, found, check);
      }
    } else if (out) continue;
    else if (status.isSymbolicLink()) {
      const linkname = await readlink(path);
      found.push({ name, type: "symlink", mode: 0o777, size: 0, linkname });
    } else if (status.isFile()) {
      found.push({ name, type: "file", mode, size: status.size });
    }
  }
}

/** The context as a tar stream that holds one piece of one file at a time. */
export function packContext({ folder, entries }: BuildContext): Readable {
  const pack = tar.pack();
  const fill = async () => {
    for (const { name, type, mode, size, linkname } of entries) {
      await new Promise<void>((done, fail) => {
        const header = {
          name,
          type,
          mode,
          size,
          // Docker's own cache does not look at it either.
          mtime: new Date(0),
          ...linkname !== undefined && { linkname },
        };
        const entry = pack.entry(
          header,
          (error) => error ? fail(error) : done(),
        );
        const into = entry as unknown as Writable;
        if (type !== "file") return void into.end();
        pipeline(createReadStream(join(folder, name)), into).catch(fail);
      });
    }
    pack.finalize();
  };
  fill().catch((error) => pack.destroy(error));
  return Readable.from(pack as AsyncIterable<Uint8Array>);
}
