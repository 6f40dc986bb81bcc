// The part of Node's fs that scripts use, over the workspace. Everything is synchronous underneath.
import { Buffer } from "buffer/";
import { native } from "./native.js";
import { bytesOf } from "./text.js";

const S_IFMT = 0o170000;
const kinds = { 0o100000: "file", 0o040000: "directory", 0o120000: "symlink", 0o020000: "character" };

function pathOf(path) {
  if (typeof path === "string") {
    if (path.includes("\0")) throw argument(`The argument 'path' must be without null bytes. Received ${JSON.stringify(path)}`, "ERR_INVALID_ARG_VALUE");
    return path;
  }
  if (path instanceof URL) {
    if (path.protocol !== "file:") throw argument("The URL must be of scheme file", "ERR_INVALID_URL_SCHEME");
    return decodeURIComponent(path.pathname);
  }
  if (path instanceof Uint8Array) return Buffer.from(path).toString();
  throw argument(`The "path" argument must be of type string or an instance of Buffer or URL. Received ${path === null ? "null" : typeof path}`);
}

function argument(message, code = "ERR_INVALID_ARG_TYPE") {
  return Object.assign(new TypeError(message), { code });
}

const option = (options, name) => (typeof options === "string" ? (name === "encoding" ? options : undefined) : options?.[name]);

function dataOf(data, options) {
  if (typeof data === "string") {
    const encoding = option(options, "encoding");
    return encoding && !/^utf-?8$/i.test(encoding) ? Buffer.from(data, encoding) : native.encode(data);
  }
  if (ArrayBuffer.isView(data)) return bytesOf(data);
  throw argument(`The "data" argument must be of type string or an instance of Buffer, TypedArray, or DataView. Received ${data === null ? "null" : typeof data}`);
}

function withFile(path, flags, use) {
  if (typeof path === "number") return use(path);
  const fd = native.open(pathOf(path), flags);
  try {
    return use(fd);
  } finally {
    native.close(fd);
  }
}

function readAll(fd) {
  const [mode, size] = native.stat(fd, true);
  if ((mode & S_IFMT) === 0o040000) {
    throw Object.assign(new Error("EISDIR: illegal operation on a directory, read"), { errno: -31, code: "EISDIR", syscall: "read" });
  }
  const chunks = [];
  let total = 0;
  let chunk = new Uint8Array(Math.max(size + 1, 16_384));
  for (;;) {
    const n = native.read(fd, chunk, null);
    if (!n) break;
    chunks.push(chunk.subarray(0, n));
    total += n;
    chunk = n < chunk.length ? chunk.subarray(n) : new Uint8Array(65_536);
  }
  return chunks.length === 1 ? Buffer.from(chunks[0].buffer, chunks[0].byteOffset, total) : Buffer.concat(chunks, total);
}

function writeAll(fd, bytes) {
  while (bytes.length) bytes = bytes.subarray(native.writeAt(fd, bytes, null));
}

class Stats {
  constructor([mode, size, ino, nlink, dev, atimeMs, mtimeMs, ctimeMs]) {
    // WASI tells no permissions: a file's owner may read and write
    if (!(mode & 0o777)) mode |= (mode & S_IFMT) === 0o040000 ? 0o755 : 0o644;
    Object.assign(this, { dev, mode, nlink, uid: 0, gid: 0, rdev: 0, blksize: 4096, ino, size, blocks: Math.ceil(size / 512) });
    Object.assign(this, { atimeMs, mtimeMs, ctimeMs, birthtimeMs: ctimeMs });
    for (const name of ["atime", "mtime", "ctime", "birthtime"]) this[name] = new Date(this[`${name}Ms`]);
  }
}
class Dirent {
  #kind;
  constructor(name, parentPath, kind) {
    this.name = name;
    this.parentPath = parentPath;
    this.path = parentPath;
    this.#kind = kind;
  }
  static kind = (entry) => entry.#kind;
}
const direntKind = Dirent.kind;
delete Dirent.kind;
for (const [type, kindOf] of [[Stats, (stats) => kinds[stats.mode & S_IFMT]], [Dirent, direntKind]]) {
  for (const [name, kind] of Object.entries({ isFile: "file", isDirectory: "directory", isSymbolicLink: "symlink", isCharacterDevice: "character", isBlockDevice: "block", isFIFO: "fifo", isSocket: "socket" })) {
    type.prototype[name] = function () {
      return kindOf(this) === kind;
    };
  }
}

const missing = (error) => error.code === "ENOENT" || error.code === "ENOTDIR";

function statOf(path, follow, options) {
  try {
    return new Stats(native.stat(pathOf(path), follow));
  } catch (error) {
    if (options?.throwIfNoEntry === false && missing(error)) return undefined;
    throw error;
  }
}

function list(path, options, prefix, out) {
  const all = native.list(path);
  const entries = [];
  for (let i = 0; i < all.length; i += 2) entries.push([all[i], all[i + 1]]);
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  for (const [name, kind] of entries) {
    out.push(option(options, "withFileTypes") ? new Dirent(name, path, kind) : prefix + name);
    if (option(options, "recursive") && kind === "directory") list(`${path}/${name}`, options, `${prefix}${name}/`, out);
  }
  return out;
}

function removeTree(path) {
  if (!statOf(path, false).isDirectory()) return native.unlink(path);
  for (const name of list(path, null, "", [])) removeTree(`${path}/${name}`);
  native.rmdir(path);
}

function makeTree(path) {
  try {
    native.mkdir(path);
    return path;
  } catch (error) {
    if (error.code === "EEXIST" || error.code === "ENOTCAPABLE" || error.code === "EROFS") {
      if (statOf(path, true, { throwIfNoEntry: false })?.isDirectory()) return undefined;
      throw error;
    }
    const parent = path.replace(/\/+[^/]*\/*$/, "");
    if (error.code !== "ENOENT" || parent === "" || parent === path) throw error;
    const first = makeTree(parent);
    native.mkdir(path);
    return first ?? path;
  }
}

export const sync = {
  readFile(path, options) {
    const bytes = withFile(path, option(options, "flag") ?? "r", readAll);
    const encoding = option(options, "encoding");
    return encoding && encoding !== "buffer" ? bytes.toString(encoding) : bytes;
  },
  writeFile(path, data, options) {
    const bytes = dataOf(data, options);
    withFile(path, option(options, "flag") ?? "w", (fd) => writeAll(fd, bytes));
  },
  appendFile(path, data, options) {
    const bytes = dataOf(data, options);
    withFile(path, option(options, "flag") ?? "a", (fd) => writeAll(fd, bytes));
  },
  exists(path) {
    try {
      native.stat(pathOf(path), true);
      return true;
    } catch {
      return false;
    }
  },
  access: (path) => void native.stat(pathOf(path), true),
  readdir: (path, options) => list(pathOf(path), options, "", []),
  mkdir(path, options) {
    if (option(options, "recursive")) return makeTree(pathOf(path));
    native.mkdir(pathOf(path));
  },
  mkdtemp(prefix) {
    const path = prefix + crypto.randomUUID().slice(0, 6);
    native.mkdir(path);
    return path;
  },
  rm(path, options) {
    const name = pathOf(path);
    let stats;
    try {
      stats = statOf(name, false);
    } catch (error) {
      if (option(options, "force") && missing(error)) return;
      throw error;
    }
    if (!stats.isDirectory()) return native.unlink(name);
    if (!option(options, "recursive")) {
      throw Object.assign(new Error(`Path is a directory: rm returned EISDIR (is a directory) ${name}`), { code: "ERR_FS_EISDIR", path: name, syscall: "rm" });
    }
    removeTree(name);
  },
  rmdir(path, options) {
    if (option(options, "recursive")) removeTree(pathOf(path));
    else native.rmdir(pathOf(path));
  },
  unlink: (path) => native.unlink(pathOf(path)),
  rename: (from, to) => native.rename(pathOf(from), pathOf(to)),
  copyFile: (from, to) => sync.writeFile(to, sync.readFile(from)),
  cp(from, to, options) {
    const [source, target] = [pathOf(from), pathOf(to)];
    if (!statOf(source, true).isDirectory()) return sync.copyFile(source, target);
    if (!option(options, "recursive")) throw Object.assign(new Error(`Recursive option not enabled, cannot copy a directory: ${source}`), { code: "ERR_FS_EISDIR" });
    makeTree(target);
    for (const name of list(source, null, "", [])) sync.cp(`${source}/${name}`, `${target}/${name}`, options);
  },
  stat: (path, options) => statOf(path, true, options),
  lstat: (path, options) => statOf(path, false, options),
  symlink: (target, path) => native.symlink(pathOf(target), pathOf(path)),
  readlink: (path) => native.readlink(pathOf(path)),
  realpath(path) {
    let name = pathOf(path);
    native.stat(name, true);
    if (name[0] !== "/") name = `${native.cwd()}/${name}`;
    const done = [];
    const todo = name.split("/").reverse();
    while (todo.length) {
      const part = todo.pop();
      if (part === "" || part === ".") continue;
      if (part === "..") {
        done.pop();
        continue;
      }
      const here = `/${[...done, part].join("/")}`;
      if (!statOf(here, false).isSymbolicLink()) {
        done.push(part);
        continue;
      }
      const target = native.readlink(here);
      if (target[0] === "/") done.length = 0;
      todo.push(...target.split("/").reverse());
    }
    return `/${done.join("/")}`;
  },
  chmod(path) {
    native.stat(pathOf(path), true);
    throw Object.assign(new Error(`ENOTSUP: operation not supported, chmod '${pathOf(path)}'`), { errno: -58, code: "ENOTSUP", syscall: "chmod", path: pathOf(path) });
  },
  truncate: (path, length = 0) => native.truncate(pathOf(path), length),
  utimes: (path, atime, mtime) => native.utimes(pathOf(path), ...[atime, mtime].map((time) => (time instanceof Date ? time.getTime() : Number(time) * 1000))),
};

const descriptors = {
  openSync: (path, flags = "r") => native.open(pathOf(path), flags),
  closeSync: (fd) => native.close(fd),
  fstatSync: (fd) => new Stats(native.stat(fd, true)),
  readSync(fd, buffer, offset = 0, length = buffer.byteLength - offset, position = null) {
    return native.read(fd, bytesOf(buffer).subarray(offset, offset + length), position);
  },
  writeSync(fd, data, offset = 0, length, position = null) {
    if (typeof data === "string") {
      const bytes = native.encode(data);
      writeAll(fd, bytes);
      return bytes.length;
    }
    return native.writeAt(fd, bytesOf(data).subarray(offset, length === undefined ? undefined : offset + length), position);
  },
};

export const constants = { F_OK: 0, X_OK: 1, W_OK: 2, R_OK: 4 };
export const promises = { constants };
export const fs = { constants, promises, Stats, Dirent, ...descriptors };
for (const [name, run] of Object.entries(sync)) {
  fs[`${name}Sync`] = run;
  if (name === "exists") continue;
  promises[name] = async (...args) => run(...args);
  fs[name] = (...args) => {
    const done = args.pop();
    if (typeof done !== "function") throw argument('The "cb" argument must be of type function. Use fs.promises or the Sync functions to go without');
    promises[name](...args).then(
      (value) => queueMicrotask(() => done(null, value)),
      (error) => queueMicrotask(() => done(error)),
    );
  };
}
