import { spawn } from "node:child_process";
import process from "node:process";

/** A program to run to its end. */
export interface Program {
  /** The file. */
  readonly command: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /** Where it works. */
  readonly cwd: string;
  /** Its whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Ends it, and all that it has started. */
  readonly signal?: AbortSignal | undefined;
  /** Is told each line of standard output. */
  readonly onLine?: ((line: string) => void) | undefined;
  /** Is told each line of standard error. */
  readonly onErrorLine?: ((line: string) => void) | undefined;
}

/** How a program ended. */
export interface Ended {
  /** Its exit code; null when it was killed. */
  readonly code: number | null;
  /** The end of its standard output. */
  readonly stdout: string;
  /** The end of its standard error. */
  readonly stderr: string;
}

const _keptChars = 262_144;

/** Runs a program in a process group of its own, which ends with it whatever happens; rejects when it cannot be started. */
export function runProgram(program: Program): Promise<Ended> {
  const { command, args, cwd, env, signal } = program;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env,
      detached: process.platform !== "win32",
      stdio: ["ignore", "pipe", "pipe"],
    });
    const release = _guard(() => _killGroup(child.pid), signal);
    const stdout = _collect(child.stdout, program.onLine);
    const stderr = _collect(child.stderr, program.onErrorLine);
    child.on("error", (error) => {
      release();
      reject(error);
    });
    child.on("close", (code) => {
      release();
      // What the program left running would go on in the folder that is cleaned up next.
      _killGroup(child.pid);
      resolve({ code, stdout: stdout(), stderr: stderr() });
    });
  });
}

/** Keeps the end of a stream and hands on its lines. */
function _collect(
  stream: NodeJS.ReadableStream,
  onLine: ((line: string) => void) | undefined,
): () => string {
  let kept = "";
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    kept = (kept + text).slice(-_keptChars);
    if (!onLine) return;
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  });
  return () => {
    if (rest) onLine?.(rest);
    return kept;
  };
}

function _killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === "win32" ? pid : -pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

const _ends = ["SIGINT", "SIGTERM"] as const;
let _guards = 0;

/** Whether somebody else deals with a signal. */
function _isDealtWith(name: NodeJS.Signals): boolean {
  return process.listenerCount(name) > _guards;
}

/** Kills when the signal aborts, when this process exits, and on Ctrl-C where nobody else deals with it. */
function _guard(kill: () => void, signal: AbortSignal | undefined): () => void {
  // Asked now as well: whoever deals with it may be gone again by the time this is told of it.
  const alone = !_ends.some(_isDealtWith);
  const interrupted = (name: NodeJS.Signals) => {
    if (_isDealtWith(name)) return;
    kill();
    release();
    process.kill(process.pid, name);
  };
  const release = () => {
    signal?.removeEventListener("abort", kill);
    process.off("exit", kill);
    if (!alone || released) return;
    released = true;
    for (const name of _ends) process.off(name, interrupted);
    _guards--;
  };
  let released = false;
  signal?.addEventListener("abort", kill);
  process.on("exit", kill);
  if (alone) {
    for (const name of _ends) process.on(name, interrupted);
    _guards++;
  }
  if (signal?.aborted) kill();
  return release;
}
