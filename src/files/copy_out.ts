import {
  chmod,
  lstat,
  mkdir,
  open,
  rename,
  rm,
  stat,
  symlink,
  utimes,
} from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { FileStore } from "../backends/backend.ts";
import { SandboxError } from "../errors.ts";
import type { FileEntry } from "../result.ts";
import { cleanGuestPath, nameOf, parentOf, within } from "./guest_path.ts";
import { chunkBytes, hostError, throwIfAborted } from "../host_error.ts";
import { staysInTree } from "./links.ts";
import { inParallel } from "./parallel.ts";
import { isZero } from "../zeros.ts";

/**
 * Copies a file or directory of the workspace to the host. Nothing that the
 * guest made decides where on the host is written: names are checked one by one,
 * links are made last and only within the copied directory, and links that are
 * in the way on the host are replaced, not followed.
 */
export async function copyOut(
  files: FileStore,
  guestPath: string,
  hostPath: string | URL,
  signal?: AbortSignal,
): Promise<void> {
  const action = `copy ${JSON.stringify(guestPath)} from the workspace`;
  const source = cleanGuestPath(guestPath, action);
  const host = hostPath instanceof URL ? fileURLToPath(hostPath) : hostPath;
  throwIfAborted(signal, action);
  try {
    const entry = await _find(files, source, action);
    const copy = new _CopyOut(files, action, signal);
    if (entry.kind === "directory") return await copy.tree(entry, host);
    const found = await stat(host).catch(() => undefined);
    const into = found?.isDirectory() || /[\\/]$/.test(host);
    if (into && source === ".") throw copy.refused("it has no name");
    const target = into ? join(host, copy.name(nameOf(source))) : resolve(host);
    await mkdir(dirname(target), { recursive: true });
    await copy.file(entry, target);
  } catch (error) {
    throw hostError(error, action);
  }
}

/** What a path names, links within the workspace followed. */
async function _find(
  files: FileStore,
  path: string,
  action: string,
): Promise<FileEntry> {
  for (let links = 0; links < 40; links++) {
    const entry = await files.stat(path);
    if (!entry) break;
    if (entry.kind !== "symlink") return { ...entry, path };
    const target = entry.target ?? "";
    const next = target.startsWith("/")
      ? target
      : within(parentOf(path) ?? ".", target);
    path = cleanGuestPath(next, action);
  }
  throw new SandboxError(
    "FILE_NOT_FOUND",
    `Cannot ${action}: it is not there. See listFiles() for what is.`,
  );
}

class _CopyOut {
  readonly #files: FileStore;
  readonly #action: string;
  readonly #signal: AbortSignal | undefined;

  constructor(
    files: FileStore,
    action: string,
    signal: AbortSignal | undefined,
  ) {
    this.#files = files;
    this.#action = action;
    this.#signal = signal;
  }

  async tree(root: FileEntry, host: string): Promise<void> {
    const prefix = root.path === "." ? "" : `${root.path}/`;
    const entries = (await this.#files.list(root.path, true)).map((entry) => ({
      ...entry,
      inside: this.#inside(entry.path, prefix),
    }));
    const nodes = new Map(entries.map((entry) => [entry.inside, entry]));
    for (const { inside, target: points = "", kind } of entries) {
      if (kind !== "symlink") continue;
      if (!staysInTree(inside, points, (path) => nodes.get(path))) {
        throw this.refused(`the link ${inside} leaves the directory`);
      }
    }
    const target = resolve(host);
    await mkdir(target, { recursive: true });
    const directories = entries.filter(({ kind }) => kind === "directory");
    for (const { inside } of directories) {
      await this.#directory(join(target, inside));
    }
    const files = entries.filter(({ kind }) => kind === "file");
    await inParallel(
      files,
      this.#files.parallel ?? 1,
      (entry) => this.file(entry, join(target, entry.inside)),
    );
    for (const { inside, target: points = "", kind } of entries) {
      if (kind !== "symlink") continue;
      await this.#free(join(target, inside));
      await symlink(points, join(target, inside));
    }
    for (const { inside, mode } of directories.reverse()) {
      await chmod(join(target, inside), mode & 0o777 | 0o700);
    }
  }

  #inside(path: string, prefix: string): string {
    if (!path.startsWith(prefix)) throw this.refused(`${path} is not in it`);
    return path.slice(prefix.length).split("/")
      .map((name) => this.name(name)).join("/");
  }

  /** A name that means the same on the host, or none at all. */
  name(name: string): string {
    const special = name === "" || name === "." || name === ".." ||
      name.includes("\0") || name.includes("/");
    if (special || (sep === "\\" && /[\\:]/.test(name))) {
      throw this.refused(
        `the name ${JSON.stringify(name)} is none on the host`,
      );
    }
    return name;
  }

  async #directory(path: string): Promise<void> {
    const found = await lstat(path).catch(() => undefined);
    if (found?.isDirectory()) return;
    if (found) throw this.refused(`${path} is there and is no directory`);
    await mkdir(path);
  }

  /** Removes a file or link that is in the way. */
  async #free(path: string): Promise<void> {
    const found = await lstat(path).catch(() => undefined);
    if (found?.isDirectory()) {
      throw this.refused(`${path} is there and is a directory`);
    }
    if (found) await rm(path);
  }

  async file(entry: FileEntry, target: string): Promise<void> {
    const found = await lstat(target).catch(() => undefined);
    if (found?.isDirectory()) {
      throw this.refused(`${target} is there and is a directory`);
    }
    const unique = crypto.randomUUID().slice(0, 8);
    const partial = join(dirname(target), `.mote-${unique}.part`);
    const handle = await open(partial, "wx", 0o600);
    try {
      try {
        for (let at = 0;;) {
          throwIfAborted(this.#signal, this.#action);
          const { bytes, eof } = await this.#files.read(
            entry.path,
            at,
            chunkBytes,
          );
          // Nothing but zeros is left out, which makes a hole.
          const hole = bytes.byteLength > 4_096 && isZero(bytes);
          for (
            let done = hole ? bytes.byteLength : 0;
            done < bytes.byteLength;
          ) {
            const rest = bytes.byteLength - done;
            done += (await handle.write(bytes, done, rest, at + done))
              .bytesWritten;
          }
          at += bytes.byteLength;
          if (eof || bytes.byteLength === 0) {
            if (hole) await handle.truncate(at);
            break;
          }
        }
      } finally {
        await handle.close();
      }
      await chmod(partial, entry.mode & 0o777);
      await utimes(partial, new Date(), new Date(entry.mtimeMs));
      await rename(partial, target);
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    }
  }

  refused(state: string): SandboxError {
    return new SandboxError(
      "PATH_REFUSED",
      `Cannot ${this.#action}: ${state}. Remove or rename it.`,
    );
  }
}
