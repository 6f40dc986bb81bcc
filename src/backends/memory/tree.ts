import { SandboxError } from "../../errors.ts";
import type { FileEntry } from "../../result.ts";
import type { FileStore, WriteOptions } from "../backend.ts";

/** A file system call that did not work, as the guest sees it. */
export class FileFault extends Error {
  /** Which fault it is, as Python names the exception. */
  readonly kind:
    | "FileNotFoundError"
    | "PermissionError"
    | "FileExistsError"
    | "OSError"
    | "DiskFull";

  /** A fault at a path. */
  constructor(kind: FileFault["kind"], path: string, state: string) {
    super(`${state}: ${path}`);
    this.kind = kind;
  }
}

interface Node {
  kind: FileEntry["kind"];
  bytes: Uint8Array;
  size: number;
  mode: number;
  mtimeMs: number;
  target?: string;
}

const _mostLinks = 40;
const _nothing = new Uint8Array(0);

/** Files in memory under a quota. Paths are relative to the root, which is ".". */
export class MemoryTree {
  readonly #nodes = new Map<string, Node>();
  readonly #mostBytes: number;
  readonly #mostFiles: number;
  #bytes = 0;
  /** Files that were written since this was last emptied. */
  readonly changed = new Set<string>();

  /** An empty tree. */
  constructor(mostBytes: number, mostFiles: number) {
    this.#mostBytes = mostBytes;
    this.#mostFiles = mostFiles;
  }

  /** Bytes that may still be written. */
  get freeBytes(): number {
    return this.#mostBytes - this.#bytes;
  }

  /** Follows links to where a path leads; whatever leaves the tree is refused. */
  resolve(path: string, followLast = true): string {
    const at: string[] = [];
    const left = path.split("/");
    let links = 0;
    while (left.length) {
      const segment = left.shift()!;
      if (segment === "" || segment === ".") continue;
      if (segment === "..") {
        if (at.pop() === undefined) throw _leaves(path);
        continue;
      }
      at.push(segment);
      const node = this.#nodes.get(at.join("/"));
      if (node?.kind !== "symlink" || (!followLast && left.length === 0)) {
        continue;
      }
      if (++links > _mostLinks) {
        throw new FileFault("OSError", path, "too many links");
      }
      const target = node.target ?? "";
      if (!target.startsWith("/")) at.pop();
      else if (target !== "/sandbox" && !target.startsWith("/sandbox/")) {
        throw _leaves(path);
      } else at.length = 0;
      left.unshift(...target.replace(/^\/sandbox/, "").split("/"));
    }
    return at.length ? at.join("/") : ".";
  }

  /** What is at a path, links followed unless said. */
  find(path: string, followLast = true): FileEntry | undefined {
    const at = this.resolve(path, followLast);
    if (at === ".") {
      return { path: at, kind: "directory", size: 0, mode: 0o755, mtimeMs: 0 };
    }
    const node = this.#nodes.get(at);
    return node && _entry(at, node);
  }

  /** Bytes of a file. */
  read(path: string): Uint8Array {
    const at = this.resolve(path);
    const node = this.#nodes.get(at);
    if (!node) throw new FileFault("FileNotFoundError", path, "no such file");
    if (node.kind !== "file") {
      throw new FileFault("OSError", path, "is a directory");
    }
    return node.bytes.subarray(0, node.size);
  }

  /** Writes bytes; null starts the file anew. */
  write(
    path: string,
    bytes: Uint8Array,
    { offset, mode, mtimeMs = Date.now() }: WriteOptions,
  ): void {
    const at = this.resolve(path);
    let node = this.#nodes.get(at);
    if (at === "." || node?.kind === "directory") {
      throw new FileFault("OSError", path, "is a directory");
    }
    if (!node) {
      this.#room(path, at);
      node = { kind: "file", bytes: _nothing, size: 0, mode: 0o644, mtimeMs };
      this.#nodes.set(at, node);
    }
    const start = offset ?? 0;
    const size = offset === null
      ? bytes.byteLength
      : Math.max(node.size, start + bytes.byteLength);
    if (this.#bytes + size - node.size > this.#mostBytes) {
      throw new FileFault("DiskFull", path, "no space left");
    }
    if (size > node.bytes.byteLength) {
      const grown = new Uint8Array(Math.max(size, 2 * node.size));
      grown.set(node.bytes.subarray(0, node.size));
      node.bytes = grown;
    }
    node.bytes.set(bytes, start);
    this.#bytes += size - node.size;
    node.size = size;
    node.mode = mode ?? node.mode;
    node.mtimeMs = mtimeMs;
    this.changed.add(at);
  }

  /** Makes a directory; those above it too, if said. */
  mkdir(path: string, recursive: boolean): void {
    const at = this.resolve(path);
    if (at === "." || this.#nodes.get(at)?.kind === "directory") {
      if (recursive) return;
      throw new FileFault("FileExistsError", path, "is there already");
    }
    if (this.#nodes.has(at)) {
      throw new FileFault("FileExistsError", path, "is there already");
    }
    const slash = at.lastIndexOf("/");
    if (recursive && slash > 0) this.mkdir(at.slice(0, slash), true);
    this.#add(path, at, "directory", 0o755);
  }

  /** Makes a link, wherever it points. */
  symlink(path: string, target: string): void {
    const at = this.resolve(path, false);
    if (this.#nodes.has(at)) {
      throw new FileFault("FileExistsError", path, "is there already");
    }
    this.#add(path, at, "symlink", 0o777);
    this.#nodes.get(at)!.target = target;
  }

  /** Sets permission bits. */
  chmod(path: string, mode: number): void {
    const node = this.#nodes.get(this.resolve(path));
    if (!node) throw new FileFault("FileNotFoundError", path, "no such file");
    node.mode = mode & 0o777;
  }

  /** Removes what is there, and what is in it. */
  remove(path: string): void {
    const at = this.resolve(path, false);
    if (!this.#nodes.has(at)) {
      throw new FileFault("FileNotFoundError", path, "no such file");
    }
    for (const [key, { size }] of [...this.#nodes]) {
      if (key !== at && !key.startsWith(`${at}/`)) continue;
      this.#nodes.delete(key);
      this.#bytes -= size;
    }
  }

  /** What is in a directory, sorted. */
  list(path: string, recursive: boolean): FileEntry[] {
    const at = this.resolve(path);
    const node = this.#nodes.get(at);
    if (at !== "." && !node) {
      throw new FileFault("FileNotFoundError", path, "no such directory");
    }
    if (node && node.kind !== "directory") {
      throw new FileFault("OSError", path, "is no directory");
    }
    const prefix = at === "." ? "" : `${at}/`;
    return [...this.#nodes]
      .filter(([key]) =>
        key.startsWith(prefix) &&
        (recursive || !key.slice(prefix.length).includes("/"))
      )
      .map(([key, one]) => _entry(key, one))
      .sort((a, b) => a.path < b.path ? -1 : 1);
  }

  #add(path: string, at: string, kind: Node["kind"], mode: number): void {
    this.#room(path, at);
    const mtimeMs = Date.now();
    this.#nodes.set(at, { kind, bytes: _nothing, size: 0, mode, mtimeMs });
  }

  #room(path: string, at: string): void {
    const slash = at.lastIndexOf("/");
    const parent = slash > 0 ? this.#nodes.get(at.slice(0, slash)) : undefined;
    if (slash > 0 && parent?.kind !== "directory") {
      throw new FileFault("FileNotFoundError", path, "no such directory");
    }
    if (this.#nodes.size >= this.#mostFiles) {
      throw new FileFault("DiskFull", path, "no file left");
    }
  }
}

function _leaves(path: string): FileFault {
  return new FileFault("PermissionError", path, "leaves the workspace");
}

function _entry(path: string, node: Node): FileEntry {
  const { kind, size, mode, mtimeMs, target } = node;
  return { path, kind, size, mode, mtimeMs, ...(target && { target }) };
}

const _codes = {
  FileNotFoundError: "FILE_NOT_FOUND",
  PermissionError: "PATH_REFUSED",
  FileExistsError: "PATH_REFUSED",
  OSError: "PATH_REFUSED",
  DiskFull: "DISK_EXCEEDED",
} as const;

/** A tree as the host reads and writes it. */
export function fileStore(tree: MemoryTree, usable: () => void): FileStore {
  // deno-lint-ignore require-await
  const attempt = async <T>(work: () => T): Promise<T> => {
    usable();
    try {
      return work();
    } catch (error) {
      if (!(error instanceof FileFault)) throw error;
      throw new SandboxError(
        _codes[error.kind],
        `Cannot use a file of the workspace: ${error.message}. See listFiles() for what is there.`,
      );
    }
  };
  return {
    write: (path, bytes, options) =>
      attempt(() => tree.write(path, bytes, options)),
    read: (path, offset, length) =>
      attempt(() => {
        const all = tree.read(path);
        const bytes = all.slice(offset, offset + length);
        return { bytes, eof: offset + length >= all.byteLength };
      }),
    list: (path, recursive) => attempt(() => tree.list(path, recursive)),
    stat: (path) => attempt(() => tree.find(path, false)),
    mkdir: (path) => attempt(() => tree.mkdir(path, true)),
    symlink: (path, target) => attempt(() => tree.symlink(path, target)),
    remove: (path) => attempt(() => tree.remove(path)),
  };
}
