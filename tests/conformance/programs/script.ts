/** The tiny script of the in-memory double: one JSON array a line. */
import type { Programs } from "../programs.ts";

const lines = (...ops: readonly unknown[][]): string =>
  ops.map((op) => JSON.stringify(op)).join("\n");

export const script: Programs = {
  print: (text) => lines(["print", text]),
  both: (out, err) => lines(["print", out], ["eprint", err]),
  exit: (code) => lines(["exit", code]),
  raise: (before, message) => lines(["print", before], ["raise", message]),
  broken: '["print", "never"',
  echoStdin: lines(["stdin"]),
  env: (name) => lines(["env", name]),
  args: lines(["args"]),
  cwd: lines(["cwd"]),
  rawBytes: (bytes) => lines(["write-bytes", bytes]),
  bigOutput: (count) => lines(["repeat", "x", count]),

  read: (path) => lines(["read", path]),
  write: (path, text) => lines(["write", path, text]),
  append: (path, text) => lines(["append", path, text]),
  writeBytes: (path, count) => lines(["write", path, "x".repeat(count)]),
  mkdir: (path) => lines(["mkdir", path]),
  remove: (path) => lines(["remove", path]),
  symlink: (target, path) => lines(["symlink", target, path]),
  list: (path) => lines(["list", path]),
  readCaught: (path) => lines(["try", ["read-quiet", path], "read", "refused"]),
  writeCaught: (path) =>
    lines(["try", ["write", path, "x"], "written", "refused"]),

  loopForever: lines(["loop"]),
  printThenLoop: (text) => lines(["print", text], ["loop"]),
  sleepForever: lines(["sleep"]),
  memoryBomb: lines(["memory"]),
  memoryCaught: lines(["memory-caught"]),
  outputFlood: lines(["flood"]),
  diskFill: lines(["fill", "big"]),
  diskFillCaught: lines(["fill-caught", "big"]),
  manyFiles: (count) => lines(["files", "many", count]),
  deepRecursion: lines(["recurse"]),

  setState: (name, value) => lines(["set", name, value]),
  getState: (name) => lines(["get", name]),
  random: lines(["random"]),

  tool: (name, input) => lines(["tool", name, input]),
  toolCaught: (name, input) => lines(["tool-caught", name, input]),
  toolOften: (name, count) =>
    lines(["tool-often", name, {}, count], ["print", "called"]),
  toolsAtOnce: (calls) => lines(["tools", calls]),
};
