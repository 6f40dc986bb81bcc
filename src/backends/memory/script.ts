import type { ToolReply } from "../backend.ts";
import { FileFault, type MemoryTree } from "./tree.ts";

/** What ends a program from outside: a limit, the caller, the end of the session. */
export class Stopped extends Error {}

/** An error of the program, which it may catch. */
export class ScriptError extends Error {
  /** What kind, as the traceback names it. */
  readonly kind: string;

  /** An error with a message. */
  constructor(kind: string, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** A call of a tool that did not work. */
export class ToolFault extends ScriptError {
  /** Why. */
  readonly reason: "failed" | "input" | "limit";
  /** The call. */
  readonly call: number;

  /** A fault with the host's message. */
  constructor(reason: ToolFault["reason"], message: string, call: number) {
    super(reason === "input" ? "ToolInputError" : "ToolError", message);
    this.reason = reason;
    this.call = call;
  }
}

class _Exit extends Error {
  readonly code: number;
  constructor(code: number) {
    super();
    this.code = code;
  }
}

/** What a program may use. */
export interface ScriptHost {
  /** Its workspace. */
  readonly tree: MemoryTree;
  /** Standard input. */
  readonly stdin: Uint8Array;
  /** Its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Its arguments. */
  readonly args: readonly string[];
  /** What it keeps from run to run. */
  readonly state: Map<string, unknown>;
  /** Bytes of memory that it may use. */
  readonly memoryBytes: number;
  /** Writes output; may throw {@linkcode Stopped}, and waits for a slow reader. */
  write(stream: "stdout" | "stderr", bytes: Uint8Array): Promise<void>;
  /** Waits for something unless it is stopped; without anything to wait for, one turn. */
  wait<T>(event?: Promise<T>): Promise<T | undefined>;
  /** Numbers a call of a tool. */
  nextCall(): number;
  /** Calls a tool. */
  call(name: string, input: Uint8Array, id: number): Promise<ToolReply>;
  /** Notes that a limit was reached. */
  hit(limit: "memory" | "workspace"): void;
}

type Op = (host: ScriptHost, args: readonly unknown[]) => Promise<void>;

const _encoder = new TextEncoder();

/** Runs a program of the tiny script: one JSON array a line. Returns its exit code. */
export async function runScript(
  code: Uint8Array,
  host: ScriptHost,
): Promise<number> {
  try {
    for (const [op, args] of _parse(code)) await op(host, args);
    return 0;
  } catch (error) {
    if (error instanceof _Exit) return error.code;
    const fault = error instanceof FileFault
      ? { kind: _kindOf(error), message: error.message }
      : error;
    if (error instanceof Stopped) throw error;
    const { kind = "InternalError", message } = fault as ScriptError;
    await host.write("stderr", _line(`${kind}: ${message}`));
    if (error instanceof FileFault || error instanceof ScriptError) {
      throw error;
    }
    throw error;
  }
}

function _kindOf({ kind }: FileFault): string {
  return kind === "DiskFull" ? "OSError" : kind;
}

function _parse(code: Uint8Array): [Op, unknown[]][] {
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(code);
  } catch {
    throw new ScriptError("SyntaxError", "the code is not UTF-8");
  }
  return text.split("\n").filter((line) => line.trim()).map(_parseLine);
}

function _parseLine(line: string): [Op, unknown[]] {
  try {
    return _opOf(JSON.parse(line));
  } catch {
    throw new ScriptError("SyntaxError", `no operation: ${line.slice(0, 80)}`);
  }
}

function _opOf(value: unknown): [Op, unknown[]] {
  const [name, ...args] = value as [string, ...unknown[]];
  const op = Object.hasOwn(_ops, name) ? _ops[name] : undefined;
  if (!op) throw new TypeError(name);
  return [op, args];
}

function _line(text: unknown): Uint8Array {
  return _encoder.encode(`${text}\n`);
}

/** A guest path relative to the workspace; absolute ones have to be in it. */
function _path(value: unknown): string {
  const path = String(value);
  if (!path.startsWith("/")) return path;
  if (path === "/sandbox" || path.startsWith("/sandbox/")) {
    return path.slice("/sandbox".length) || ".";
  }
  throw new FileFault("PermissionError", path, "outside the workspace");
}

async function _call(
  host: ScriptHost,
  name: unknown,
  input: unknown,
): Promise<unknown> {
  const bytes = _encoder.encode(JSON.stringify(input ?? {}));
  const id = host.nextCall();
  const reply = await host.wait(host.call(String(name), bytes, id));
  if ("json" in reply!) return JSON.parse(reply.json);
  throw new ToolFault(reply!.error, reply!.message, id);
}

async function _fill(host: ScriptHost, path: string): Promise<void> {
  const block = new Uint8Array(65_536);
  for (let offset = 0;; offset += block.length) {
    if (host.tree.freeBytes < block.length) host.hit("workspace");
    host.tree.write(path, block, { offset: offset === 0 ? null : offset });
    await host.wait();
  }
}

const _ops: Readonly<Record<string, Op>> = {
  print: (host, [text]) => host.write("stdout", _line(text)),
  eprint: (host, [text]) => host.write("stderr", _line(text)),
  "write-bytes": (host, [bytes]) =>
    host.write("stdout", Uint8Array.from(bytes as number[])),
  async repeat(host, [text, count]) {
    const block = String(text).repeat(65_536);
    for (let left = Number(count); left > 0; left -= 65_536) {
      const part = left < 65_536 ? String(text).repeat(left) : block;
      await host.write("stdout", _encoder.encode(part));
    }
  },
  exit(_, [code]) {
    throw new _Exit(Number(code) & 0xff);
  },
  raise(_, [message]) {
    throw new ScriptError("Error", String(message));
  },
  stdin: (host) => host.write("stdout", host.stdin),
  env: (host, [name]) =>
    host.write(
      "stdout",
      _line(
        Object.hasOwn(host.env, String(name)) ? host.env[String(name)] : "",
      ),
    ),
  args: (host) => host.write("stdout", _line(JSON.stringify(host.args))),
  cwd: (host) => host.write("stdout", _line("/sandbox")),
  read: (host, [path]) =>
    host.write("stdout", host.tree.read(_path(path)).slice()),
  async "read-quiet"(host, [path]) {
    host.tree.read(_path(path));
    await host.wait();
  },
  // deno-lint-ignore require-await
  async write(host, [path, text]) {
    const bytes = _encoder.encode(String(text));
    host.tree.write(_path(path), bytes, { offset: null });
  },
  // deno-lint-ignore require-await
  async append(host, [path, text]) {
    const bytes = _encoder.encode(String(text));
    const offset = host.tree.find(_path(path))?.size ?? null;
    host.tree.write(_path(path), bytes, { offset });
  },
  // deno-lint-ignore require-await
  async mkdir(host, [path]) {
    host.tree.mkdir(_path(path), true);
  },
  // deno-lint-ignore require-await
  async remove(host, [path]) {
    host.tree.remove(_path(path));
  },
  // deno-lint-ignore require-await
  async symlink(host, [target, path]) {
    host.tree.symlink(_path(path), String(target));
  },
  // deno-lint-ignore require-await
  async chmod(host, [path, mode]) {
    host.tree.chmod(_path(path), Number(mode));
  },
  async list(host, [path]) {
    for (const entry of host.tree.list(_path(path), false)) {
      const name = entry.path.slice(entry.path.lastIndexOf("/") + 1);
      await host.write("stdout", _line(name));
    }
  },
  mode(host, [path]) {
    const entry = host.tree.find(_path(path));
    if (!entry) {
      throw new FileFault("FileNotFoundError", String(path), "no such file");
    }
    return host.write("stdout", _line(entry.mode.toString(8)));
  },
  async try(host, [inner, fine, failed]) {
    let text = fine;
    try {
      const [op, args] = _opOf(inner);
      await op(host, args);
    } catch (error) {
      if (error instanceof Stopped) throw error;
      text = failed;
    }
    await host.write("stdout", _line(text));
  },
  async loop(host) {
    for (;;) await host.wait();
  },
  async sleep(host, [ms]) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const over = new Promise<void>((resolve) => {
      if (ms !== undefined) timer = setTimeout(resolve, Number(ms));
    });
    try {
      await host.wait(over);
    } finally {
      clearTimeout(timer);
    }
  },
  memory(host) {
    host.hit("memory");
    throw new ScriptError(
      "MemoryError",
      `no more than ${host.memoryBytes} bytes`,
    );
  },
  async "memory-caught"(host) {
    host.hit("memory");
    await host.write("stdout", _line("caught"));
  },
  async flood(host) {
    const block = new Uint8Array(4_096).fill(120);
    for (;;) {
      await host.write("stdout", block.slice());
      await host.wait();
    }
  },
  recurse() {
    throw new ScriptError("RecursionError", "too deep");
  },
  fill: (host, [path]) => _fill(host, _path(path)),
  async "fill-caught"(host, [path]) {
    try {
      await _fill(host, _path(path));
    } catch (error) {
      if (!(error instanceof FileFault)) throw error;
      await host.write("stdout", _line("caught"));
    }
  },
  // deno-lint-ignore require-await
  async files(host, [directory, count]) {
    const at = _path(directory);
    host.tree.mkdir(at, true);
    for (let n = 0; n < Number(count); n++) {
      host.tree.write(`${at}/${n}`, new Uint8Array(0), { offset: null });
    }
  },
  // deno-lint-ignore require-await
  async set(host, [name, value]) {
    host.state.set(String(name), value);
  },
  get(host, [name]) {
    const key = String(name);
    if (!host.state.has(key)) throw new ScriptError("NameError", key);
    return host.write("stdout", _line(JSON.stringify(host.state.get(key))));
  },
  random: (host) => host.write("stdout", _line(crypto.randomUUID())),
  async tool(host, [name, input]) {
    const answer = await _call(host, name, input);
    await host.write("stdout", _line(JSON.stringify(answer)));
  },
  async "tool-caught"(host, [name, input]) {
    let text;
    try {
      text = JSON.stringify(await _call(host, name, input));
    } catch (error) {
      if (!(error instanceof ToolFault)) throw error;
      text = `caught ${error.message}`;
    }
    await host.write("stdout", _line(text));
  },
  async "tool-often"(host, [name, input, count]) {
    for (let n = 0; n < Number(count); n++) await _call(host, name, input);
  },
  async tools(host, [calls]) {
    const answers = await Promise.all(
      (calls as [unknown, unknown][]).map(([name, input]) =>
        _call(host, name, input)
      ),
    );
    await host.write("stdout", _line(JSON.stringify(answers)));
  },
};
