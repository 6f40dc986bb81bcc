import { EventEmitter } from "events/";
import { native, define } from "./native.js";
import { stdin } from "./stdin.js";

const startedAt = () => performance.now();

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

const code = (value) => (value === undefined ? (process.exitCode ?? 0) : value) | 0;

export const process = Object.assign(new EventEmitter(), {
  argv: ["/lib/javascript", "/sandbox/main.js"],
  env: {},
  exitCode: undefined,
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
    process.exitCode = status;
    if (!exited) {
      exited = true;
      process.emit("exit", status);
    }
    native.exit(code(undefined));
  },
  nextTick: (callback, ...args) => queueMicrotask(() => callback(...args)),
  uptime: () => startedAt() / 1000,
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
let exited = false;

/** Called when a session takes the instance: args and env are known only now. */
export function attach() {
  const args = native.args();
  if (args) process.argv = ["/lib/javascript", "/sandbox/main.js", ...args.slice(1)];
  const env = native.env();
  if (env) {
    process.env = Object.fromEntries(env.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
  }
}

/** The run has ended by itself or by process.exit; returns its exit code. */
export function emitExit(status) {
  if (!exited && process.listenerCount("exit")) {
    exited = true;
    process.emit("exit", process.exitCode ?? status);
  }
  const result = code(process.exitCode ?? status);
  exited = false;
  process.exitCode = undefined;
  return result;
}

export function emitRejection(reason, promise) {
  return process.emit("unhandledRejection", reason, promise);
}

export function emitUncaught(error, inPromise) {
  return process.emit("uncaughtException", error, inPromise ? "unhandledRejection" : "uncaughtException");
}
