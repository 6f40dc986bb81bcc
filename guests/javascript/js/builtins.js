// import "fs", import "node:path" and the like; `require` for the same and for CommonJS files.
import path from "path-browserify";
import { EventEmitter } from "events/";
import * as events from "events/";
import { Buffer, kMaxLength, SlowBuffer } from "buffer/";
import * as nodeInspect from "node-inspect-extracted";
import { constants, fs, promises as fsPromises } from "./fs.js";
import { define, native } from "./native.js";
import { promises as timerPromises, timers } from "./loop.js";
import { process } from "./process.js";
import { lines } from "./stdin.js";
import { crypto } from "./web.js";

path.posix = path;
path.toNamespacedPath ??= (name) => name;

const util = {
  ...Object.fromEntries(["format", "formatWithOptions", "inspect", "stripVTControlCharacters"].map((name) => [name, nodeInspect[name]])),
  TextDecoder,
  TextEncoder,
  inherits(type, base) {
    Object.setPrototypeOf(type.prototype, base.prototype);
    type.super_ = base;
  },
  promisify: (f) => (...args) => new Promise((resolve, reject) => f(...args, (error, value) => (error ? reject(error) : resolve(value)))),
  callbackify: (f) => (...args) => {
    const done = args.pop();
    f(...args).then((value) => done(null, value), done);
  },
  deprecate: (f) => f,
};

const readline = {
  createInterface({ input = process.stdin } = {}) {
    const all = lines(input);
    const reader = Object.assign(new EventEmitter(), {
      close: () => reader.emit("close"),
      [Symbol.asyncIterator]: () => all,
    });
    const on = reader.on;
    reader.on = (name, listener) => {
      on.call(reader, name, listener);
      if (name === "line" && reader.listenerCount("line") === 1) {
        (async () => {
          for await (const line of all) reader.emit("line", line);
          reader.emit("close");
        })();
      }
      return reader;
    };
    return reader;
  },
};

const url = {
  URL,
  URLSearchParams,
  fileURLToPath: (value) => {
    const given = typeof value === "string" ? new URL(value) : value;
    if (given.protocol !== "file:") throw new TypeError("The URL must be of scheme file");
    return decodeURIComponent(given.pathname);
  },
  pathToFileURL: (name) => new URL(`file://${encodeURI(path.resolve(name)).replaceAll("?", "%3F").replaceAll("#", "%23")}`),
};

function createRequire(from) {
  const base = path.dirname(`${from}`.replace(/^file:\/\//, ""));
  return (name) => load(base, name);
}

const modules = {
  buffer: { Buffer, SlowBuffer, kMaxLength, atob, btoa },
  crypto: { webcrypto: crypto, getRandomValues: crypto.getRandomValues, randomUUID: crypto.randomUUID, randomBytes: (n) => crypto.getRandomValues(Buffer.alloc(n)) },
  events: Object.assign(EventEmitter, { once: events.once, EventEmitter }),
  fs,
  "fs/promises": { ...fsPromises, constants },
  module: { createRequire },
  os: { EOL: "\n", tmpdir: () => process.env.TMPDIR ?? "/tmp", platform: () => process.platform, homedir: () => "/sandbox" },
  path,
  "path/posix": path,
  perf_hooks: { performance },
  process,
  readline,
  "readline/promises": readline,
  timers,
  "timers/promises": timerPromises,
  url,
  util,
};

export const builtin = (name) => (Object.hasOwn(modules, name) ? modules[name] : undefined);

/** The error for a module that is neither built in nor a file. */
export function notFound(name, errno) {
  const isPath = name.startsWith("/");
  const why = !isPath
    ? `no such built-in module, and there are no packages here. Built in: ${Object.keys(modules).join(", ")}. Files are imported by a path that begins with ./ or /`
    : errno === EISDIR
      ? "it is a directory; name the file"
      : "no such file";
  return Object.assign(new Error(`Cannot find module '${name}': ${why}`), { code: isPath ? "ERR_MODULE_NOT_FOUND" : "ERR_UNKNOWN_BUILTIN_MODULE" });
}
const EISDIR = 31;

let loaded = new Map();

function load(base, given) {
  const name = `${given}`.replace(/^node:/, "");
  if (!/^\.{0,2}\//.test(name)) {
    const found = builtin(name);
    if (!found) throw notFound(name, 0);
    return found;
  }
  const full = path.resolve(base, name);
  const file = [full, `${full}.js`, `${full}.cjs`, `${full}.json`, `${full}/index.js`].find((candidate) => fs.statSync(candidate, { throwIfNoEntry: false })?.isFile());
  if (!file) throw notFound(full, 0);
  if (loaded.has(file)) return loaded.get(file).exports;
  const text = fs.readFileSync(file, "utf8");
  const module = { exports: {}, filename: file, id: file };
  loaded.set(file, module);
  try {
    if (file.endsWith(".json")) module.exports = JSON.parse(text);
    else {
      const run = native.compileFunction(`(function (exports, require, module, __filename, __dirname) {${text}\n})`, file);
      run.call(module.exports, module.exports, createRequire(file), module, file, path.dirname(file));
    }
  } catch (error) {
    loaded.delete(file);
    throw error;
  }
  return module.exports;
}

define({ require: (name) => load(native.cwd(), name) });
