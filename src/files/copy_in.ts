import { constants, type Stats } from "node:fs";
import { lstat, open, readdir, readlink, stat } from "node:fs/promises";
import { basename, isAbsolute, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { FileStore } from "../backends/backend.ts";
import { isSandboxError, SandboxError } from "../errors.ts";
import { cleanGuestPath, parentOf, within } from "./guest_path.ts";
import { chunkBytes, hostError, throwIfAborted } from "../host_error.ts";
import { staysInTree, type TreeNode } from "./links.ts";
import { inParallel } from "./parallel.ts";

/**
 * Copies a file or directory of the host into a tree of the guest. A link given
 * as `hostPath` is followed; links below it are copied as links.
 */
export async function copyIn(
  files: FileStore,
  hostPath: string | URL,
  guestPath: string,
  signal?: AbortSignal,
): Promise<void> {
  const source = resolve(_path(hostPath));
  const action = `copy ${JSON.stringify(source)} into the workspace`;
  const target = cleanGuestPath(guestPath, action);
  throwIfAborted(signal, action);
  try {
    const found = await stat(source);
    const copy = new _CopyIn(files, source, action, signal);
    if (found.isDirectory()) return await copy.tree(target);
    const into = guestPath.endsWith("/") ||
      (await files.stat(target))?.kind === "directory";
    const file = into ? within(target, basename(source)) : target;
    await files.mkdir(parentOf(file)!);
    await copy.file(source, file, found, true);
  } catch (error) {
    throw hostError(error, action);
  }
}

function _path(path: string | URL): string {
  return path instanceof URL ? fileURLToPath(path) : path;
}

interface _Node extends TreeNode {
  readonly stats: Stats;
}

class _CopyIn {
  readonly #files: FileStore;
  readonly #root: string;
  readonly #action: string;
  readonly #signal: AbortSignal | undefined;

  constructor(
    files: FileStore,
    root: string,
    action: string,
    signal: AbortSignal | undefined,
  ) {
    this.#files = files;
    this.#root = root;
    this.#action = action;
    this.#signal = signal;
  }

  async tree(target: string): Promise<void> {
    const nodes = await this.#walk();
    for (const [path, { kind, target: points }] of nodes) {
      if (kind !== "symlink") continue;
      if (!staysInTree(path, points!, (at) => nodes.get(at))) {
        throw this.#refused(`the link ${path} leaves the directory`);
      }
    }
    await this.#files.mkdir(target);
    const { parallel = 1 } = this.#files;
    const of = (wanted: _Node["kind"]) =>
      [...nodes].filter(([, { kind }]) => kind === wanted);
    for (const [path] of of("directory")) {
      throwIfAborted(this.#signal, this.#action);
      await this.#files.mkdir(within(target, path));
    }
    await inParallel(of("file"), parallel, async ([path, { stats }]) => {
      const into = within(target, path);
      await this.file(join(this.#root, path), into, stats, false);
    });
    for (const [path, { kind, target: points }] of nodes) {
      if (kind !== "symlink") continue;
      const into = within(target, path);
      const there = await this.#files.stat(into);
      if (there && there.kind !== "directory") await this.#files.remove(into);
      await this.#files.symlink(into, points!);
    }
  }

  /** Everything in the tree, directories before what is in them. */
  async #walk(): Promise<Map<string, _Node>> {
    const nodes = new Map<string, _Node>();
    const directories = [""];
    for (let directory; (directory = directories.pop()) !== undefined;) {
      const names = (await readdir(join(this.#root, directory))).sort();
      for (const name of names) {
        throwIfAborted(this.#signal, this.#action);
        const path = directory ? `${directory}/${name}` : name;
        const source = join(this.#root, path);
        const stats = await lstat(source);
        if (stats.isDirectory()) {
          nodes.set(path, { kind: "directory", stats });
          directories.push(path);
        } else if (stats.isSymbolicLink()) {
          const points = await this.#points(source);
          nodes.set(path, { kind: "symlink", stats, target: points });
        } else if (stats.isFile()) {
          nodes.set(path, { kind: "file", stats });
        } else {
          throw this.#refused(`${path} is no file, directory or link`);
        }
      }
    }
    return nodes;
  }

  /** Where a link points; an absolute target within the tree becomes relative. */
  async #points(source: string): Promise<string> {
    const target = await readlink(source);
    if (!isAbsolute(target)) return target.replaceAll(sep, "/");
    const inside = relative(this.#root, target);
    if (inside.startsWith("..") || isAbsolute(inside)) return target;
    return relative(resolve(source, ".."), target).replaceAll(sep, "/") || ".";
  }

  async file(
    source: string,
    target: string,
    expected: Stats,
    follow: boolean,
  ): Promise<void> {
    if (!expected.isFile()) {
      throw this.#refused(`${source} is no file, directory or link`);
    }
    // Whatever was put there since it was looked at is neither followed nor waited for.
    const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) |
      (follow ? 0 : constants.O_NOFOLLOW ?? 0);
    const handle = await open(source, flags);
    const mode = expected.mode & 0o777, mtimeMs = Math.floor(expected.mtimeMs);
    let started = false;
    try {
      const buffer = new Uint8Array(Math.min(chunkBytes, expected.size + 1));
      for (let at = 0;;) {
        throwIfAborted(this.#signal, this.#action);
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
        if (started && bytesRead === 0) break;
        const offset = started ? at : null;
        const bytes = buffer.subarray(0, bytesRead);
        await this.#files.write(target, bytes, { offset, mode, mtimeMs })
          .catch((error) => {
            started ||= isSandboxError(error, "DISK_EXCEEDED");
            throw error;
          });
        started = true;
        at += bytesRead;
        if (bytesRead === 0) break;
      }
    } catch (error) {
      // Half a file would pass for a whole one.
      if (started) await this.#files.remove(target).catch(() => {});
      throw error;
    } finally {
      await handle.close();
    }
  }

  #refused(state: string): SandboxError {
    return new SandboxError(
      "PATH_REFUSED",
      `Cannot ${this.#action}: ${state}. Leave it out or replace it.`,
    );
  }
}
