// Runs the program as an ES module of the working directory, gives it `tools`, and tells the host over descriptor 3 how it
// ended: driver.mjs MODE FILE LIBRARIES ARG…
import fs from "node:fs";
import module from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import util from "node:util";

const READY = 1, CALL = 2, DONE = 3;
const TURN = 1, REPLY = 2;
const OK = 0, INPUT = 2;
const TOOL = 1, MEMORY = 2, DISK = 4;
const [, own, mode, name, libraries, ...args] = process.argv;
const folder = path.dirname(own);
const file = path.join(folder, name);
const main = pathToFileURL(path.join(process.cwd(), name)).href;
const typed = name.endsWith("ts");
const living = mode === "living";
const pause = new Int32Array(new SharedArrayBuffer(4));

const { writeSync } = fs;
const { wait } = Atomics;

function writeAll(fd, bytes) {
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if (error.code !== "EAGAIN") return;
      wait(pause, 0, 0, 1);
    }
  }
}

/** Writes to the host and waits until it is written. Whatever the program has made of its realm, this has to work. */
function say(kind, id, body) {
  const word = Buffer.alloc(9 + (body ? body.length : 0));
  word.writeUInt32LE(word.length - 9);
  word.writeUInt8(kind, 4);
  word.writeUInt32LE(id, 5);
  if (body) body.copy(word, 9);
  writeAll(3, word);
}

let socket;
let heard = Buffer.alloc(0);
let turn;
let lastCall = 0;
const calls = new Map();

async function connect() {
  const { Socket } = await import("node:net");
  if (socket) return socket;
  socket = new Socket({ fd: 3, readable: true, writable: true });
  socket.on("data", hear);
  socket.on("error", () => {});
  socket.on("close", lose);
  return socket;
}

function lose() {
  for (const [id, { reject }] of calls) {
    calls.delete(id);
    reject(new ToolError("the call was lost"));
  }
}

function hear(piece) {
  heard = heard.length ? Buffer.concat([heard, piece]) : piece;
  while (heard.length >= 9) {
    const length = heard.readUInt32LE();
    if (heard.length < 9 + length) return;
    const kind = heard.readUInt8(4), id = heard.readUInt32LE(5);
    const body = heard.subarray(9, 9 + length);
    heard = heard.subarray(9 + length);
    if (kind === REPLY) answer(id, body[0], body.toString("utf8", 1));
    if (kind === TURN) turn(JSON.parse(body.toString("utf8", 1)));
  }
}

class ToolError extends Error {}
class ToolInputError extends ToolError {}
for (const type of [ToolError, ToolInputError]) {
  Object.defineProperty(type.prototype, "name", { value: type.name, writable: true, configurable: true });
}
const callOf = new WeakMap();

async function begin(tool, given) {
  if (given.length > 1 || (given.length === 1 && (typeof given[0] !== "object" || given[0] === null || Array.isArray(given[0])))) {
    throw new TypeError(`tools.${tool} takes one object, as in tools.${tool}({ key: value })`);
  }
  const json = JSON.stringify(given[0] ?? {});
  if (json === undefined || json[0] !== "{") throw new TypeError(`tools.${tool} takes an object that JSON can hold`);
  const from = new ToolError();
  const id = ++lastCall;
  const outcome = new Promise((resolve, reject) => calls.set(id, { tool, resolve, reject, from }));
  const connected = await connect();
  connected.ref();
  const named = Buffer.from(tool).subarray(0, 256);
  const length = Buffer.alloc(2);
  length.writeUInt16LE(named.length);
  const head = Buffer.alloc(9);
  const text = Buffer.from(json);
  head.writeUInt32LE(2 + named.length + text.length);
  head.writeUInt8(CALL, 4);
  head.writeUInt32LE(id, 5);
  connected.write(Buffer.concat([head, length, named, text]));
  return await outcome;
}

function answer(id, status, text) {
  const call = calls.get(id);
  calls.delete(id);
  if (calls.size === 0) socket.unref();
  if (!call) return;
  if (status === OK) {
    try {
      return call.resolve(text === "" ? undefined : JSON.parse(text));
    } catch {
      return call.reject(new ToolError(`tools.${call.tool}: the answer is not JSON`));
    }
  }
  const error = new (status === INPUT ? ToolInputError : ToolError)(text);
  // The frames are those of the call, not those of its answer.
  const frames = String(call.from.stack).split("\n").slice(1);
  Object.defineProperty(error, "stack", { value: [`${error.name}: ${text}`, ...frames].join("\n"), writable: true, configurable: true });
  Object.defineProperty(error, "tool", { value: call.tool, writable: true, configurable: true, enumerable: true });
  callOf.set(error, id);
  call.reject(error);
}

const functions = new Map();
const base = Object.create(null, {
  ToolError: { value: ToolError },
  ToolInputError: { value: ToolInputError },
  [Symbol.toStringTag]: { value: "tools" },
});
const refuse = () => {
  throw new TypeError("tools belongs to the host and cannot be changed");
};
const tools = new Proxy(base, {
  get(_, key) {
    if (typeof key !== "string" || key === "then" || key in base) return base[key];
    if (!functions.has(key)) functions.set(key, { [key]: (...given) => begin(key, given) }[key]);
    return functions.get(key);
  },
  has: (_, key) => typeof key === "string",
  set: refuse,
  defineProperty: refuse,
});
for (const [key, value] of Object.entries({ tools, ToolError })) {
  Object.defineProperty(globalThis, key, { value, writable: true, configurable: true });
}

let runs = 0;
let outcome;
const exit = Symbol("exit");

/** What the error says, with frames of the program only. */
function shown(error) {
  let text;
  try {
    text = util.inspect(error);
    // inspect puts an error without frames in brackets; here nothing has to be told apart
    const head = util.types.isNativeError(error) && /^\[([^]*?)\]( \{\n|$)/.exec(text);
    if (head) text = head[1] + head[2] + text.slice(head[0].length);
  } catch {
    return "something that cannot be shown";
  }
  try {
    return tidy(text);
  } catch {
    return text;
  }
}

function tidy(text) {
  const place = new RegExp(`(?:file://)?${main.replace("file://", "").replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}\\?run=\\d+`, "g");
  return text.replace(place, name).replace(/^ +at .*(?:\bnode:|\/driver\.mjs:)[^\n]*\n?/gm, "").trimEnd();
}

function flagsOf(error) {
  if (error instanceof ToolError && !(error instanceof ToolInputError)) return TOOL;
  if (!(error instanceof Error)) return 0;
  if (error.code === "ENOSPC" || error.code === "EDQUOT") return DISK;
  return error instanceof RangeError && /^Array buffer allocation failed/.test(error.message) ? MEMORY : 0;
}

function uncaught(error) {
  if (error?.[exit]) return;
  let flags = 0, call = 0;
  try {
    flags = flagsOf(error);
    call = callOf.get(error) ?? 0;
  } catch {
    // A thing that throws when it is looked at.
  }
  outcome = { code: 1, flags, call };
  writeAll(2, Buffer.from(`Uncaught ${shown(error)}\n`));
}

function peak() {
  try {
    const status = fs.readFileSync("/proc/self/status", "utf8");
    const size = (key) => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0) * 1024;
    return Math.max(0, size("VmHWM") - size("RssFile") - size("RssShmem"));
  } catch {
    return 0;
  }
}

function done(code) {
  const body = Buffer.alloc(20);
  body.writeUInt32LE(code & 0xff);
  body.writeUInt32LE(outcome?.flags ?? 0, 4);
  body.writeUInt32LE(outcome?.call ?? 0, 8);
  body.writeBigUInt64LE(BigInt(peak()), 12);
  say(DONE, 0, body);
}

const isMain = (url) => url.startsWith(`${main}?run=`);
const bare = (specifier) => !/^(?:\.{0,2}\/|[a-z][a-z+.-]*:)/i.test(specifier);
const elsewhere = pathToFileURL(path.join(libraries, "main.mjs")).href;

/** Source without types, for versions of Node that do not strip them in a loader. */
function source() {
  const text = fs.readFileSync(file, "utf8");
  return typed ? module.stripTypeScriptTypes(text) : text;
}

/** Makes the program a module of the working directory, whose libraries are found as well. */
function hook() {
  if (module.registerHooks) {
    module.registerHooks({
      resolve(specifier, context, next) {
        if (isMain(specifier)) return { url: specifier, format: "module", shortCircuit: true };
        try {
          return next(specifier, context);
        } catch (error) {
          if (!bare(specifier) || error.code !== "ERR_MODULE_NOT_FOUND") throw error;
          try {
            return next(specifier, { ...context, parentURL: elsewhere });
          } catch {
            throw error;
          }
        }
      },
      load: (url, context, next) => isMain(url) ? { format: "module", source: source(), shortCircuit: true } : next(url, context),
    });
    return;
  }
  const code = `
    import fs from "node:fs";
    import module from "node:module";
    let data;
    export const initialize = (given) => void (data = given);
    const isMain = (url) => url.startsWith(data.main + "?run=");
    const bare = ${bare};
    export async function resolve(specifier, context, next) {
      if (isMain(specifier)) return { url: specifier, format: "module", shortCircuit: true };
      try {
        return await next(specifier, context);
      } catch (error) {
        if (!bare(specifier) || error.code !== "ERR_MODULE_NOT_FOUND") throw error;
        try {
          return await next(specifier, { ...context, parentURL: data.elsewhere });
        } catch {
          throw error;
        }
      }
    }
    export async function load(url, context, next) {
      if (!isMain(url)) return next(url, context);
      const text = fs.readFileSync(data.file, "utf8");
      return { format: "module", source: data.typed ? module.stripTypeScriptTypes(text) : text, shortCircuit: true };
    }`;
  module.register(`data:text/javascript,${encodeURIComponent(code)}`, { data: { main, elsewhere, file, typed } });
}

async function execute() {
  outcome = undefined;
  say(READY, 0);
  try {
    if (!living || !(await asScript())) await import(`${main}?run=${++runs}`);
  } catch (error) {
    uncaught(error);
  }
}

/** In a living interpreter, what can be a script is one: its declarations are there for the next run. */
async function asScript() {
  const vm = await import("node:vm");
  let script;
  try {
    const loader = vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER;
    script = new vm.Script(source(), { filename: `${main}?run=${++runs}`, ...(loader && { importModuleDynamically: loader }) });
  } catch {
    return false;
  }
  script.runInThisContext();
  return true;
}

process.on("uncaughtException", (error) => {
  if (process.listenerCount("uncaughtException") > 1) return;
  uncaught(error);
  if (!living) process.exit(outcome?.code ?? 1);
});
// Output that nobody takes holds the program back, and none is lost when it exits.
for (const stream of [process.stdout, process.stderr]) stream._handle?.setBlocking?.(true);
process.argv = [process.execPath, path.join(process.cwd(), name), ...args];
if (typed) process.removeAllListeners("warning");
hook();

if (living) {
  let busy = false;
  let settled = false;
  const realExit = process.exit;
  process.exit = (code) => {
    if (!busy) realExit(code);
    outcome = { code: Number(code ?? process.exitCode ?? 0) || 0 };
    throw { [exit]: true };
  };
  const finish = () => {
    busy = false;
    if (!settled && !outcome) {
      fs.writeSync(2, "Uncaught a top-level await that nothing can settle\n");
      outcome = { code: 13 };
    }
    done(outcome?.code ?? (Number(process.exitCode ?? 0) || 0));
    process.exitCode = undefined;
    socket.ref();
  };
  process.on("beforeExit", () => busy && finish());
  turn = (given) => {
    busy = true;
    settled = false;
    try {
      // The peak is that of each run.
      fs.writeFileSync("/proc/self/clear_refs", "5");
    } catch {
      // Then it is that of all.
    }
    try {
      fs.closeSync(0);
    } catch {
      // The last run has closed it.
    }
    fs.openSync(path.join(folder, "stdin"));
    let stdin;
    Object.defineProperty(process, "stdin", { configurable: true, get: () => stdin ??= fs.createReadStream("", { fd: 0, autoClose: false }) });
    process.argv = [process.execPath, path.join(process.cwd(), name), ...given];
    socket.unref();
    execute().then(() => void (settled = true));
  };
  (await connect()).ref();
} else {
  process.on("exit", (code) => done(outcome?.code ?? code));
  await execute();
  if (outcome) process.exitCode = outcome.code;
}
