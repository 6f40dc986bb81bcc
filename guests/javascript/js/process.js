import { EventEmitter } from "events/";
import { native } from "./native.js";
import { stdin } from "./stdin.js";

const stream = (fd) =>
  Object.assign(new EventEmitter(), {
    fd,
    isTTY: false,
    writable: true,
    write(chunk, encoding, done = encoding) {
      native.write(fd, typeof chunk === "string" ? chunk : new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      if (typeof done === "function") queueMicrotask(done);
      return true;
    },
    end(chunk, ...rest) {
      if (chunk !== undefined && typeof chunk !== "function") this.write(chunk, ...rest);
    },
  });

let exitCode;
let exited = false;
const code = (value) => (value === undefined ? (exitCode ?? 0) : value) | 0;

// what the host gives is read when first asked for, and again when another run may have brought something else
let argvOf = { run: -1 };
let envOf = { at: -1 };

function readEnv() {
  const lines = native.env() ?? [];
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
}

export const process = Object.assign(new EventEmitter(), {
  platform: "wasi",
  arch: "wasm32",
  pid: 1,
  versions: { quickjs: native.version, mote: "1" },
  stdin,
  stdout: stream(1),
  stderr: stream(2),
  cwd: () => native.cwd(),
  chdir: (path) => native.chdir(`${path}`),
  exit(value) {
    const status = code(value);
    exitCode = status;
    native.setWantsExit(true);
    if (!exited) {
      exited = true;
      process.emit("exit", status);
    }
    native.exit(code());
  },
  nextTick: (callback, ...args) => queueMicrotask(() => callback(...args)),
  uptime: () => performance.now() / 1000,
  memoryUsage: () => native.memoryUsage(),
  hrtime: Object.assign(
    (since) => {
      const now = native.now();
      const pair = [Math.floor(now / 1000), Math.floor((now % 1000) * 1e6)];
      if (!since) return pair;
      const ns = (pair[0] - since[0]) * 1e9 + pair[1] - since[1];
      return [Math.floor(ns / 1e9), ns % 1e9];
    },
    { bigint: () => BigInt(Math.round(native.now() * 1e6)) },
  ),
  [Symbol.toStringTag]: "process",
});
Object.defineProperties(process, {
  argv: {
    enumerable: true,
    configurable: true,
    get() {
      if (argvOf.run !== native.runs()) argvOf = { run: native.runs(), value: ["mote", "main.js", ...(native.args() ?? []).slice(1)] };
      return argvOf.value;
    },
    set(value) {
      argvOf = { run: native.runs(), value };
    },
  },
  env: {
    enumerable: true,
    configurable: true,
    get() {
      if (envOf.at !== native.attachedAt()) envOf = { at: native.attachedAt(), value: readEnv() };
      return envOf.value;
    },
    set(value) {
      envOf = { at: native.attachedAt(), value };
    },
  },
  exitCode: {
    enumerable: true,
    configurable: true,
    get: () => exitCode,
    set(value) {
      exitCode = value;
      native.setWantsExit(true);
    },
  },
});
process.on("newListener", (name) => {
  if (name === "exit") native.setWantsExit(true);
});

/** The run has ended by itself or by process.exit; returns its exit code. */
export function emitExit(status) {
  if (!exited && process.listenerCount("exit")) {
    exited = true;
    process.emit("exit", exitCode ?? status);
  }
  const result = code(exitCode ?? status);
  exited = false;
  exitCode = undefined;
  return result;
}

export function emitRejection(reason, promise) {
  return process.emit("unhandledRejection", reason, promise);
}

export function emitUncaught(error, inPromise) {
  return process.emit("uncaughtException", error, inPromise ? "unhandledRejection" : "uncaughtException");
}
