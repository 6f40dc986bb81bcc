/** The command as a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** How the command ended. */
export interface Ended {
  code: number | null;
  signal: string | null;
  out: string;
  err: string;
}

/** A command under way. */
export interface Running {
  child: ChildProcess;
  /** What came out until now. */
  seen: { out: string; err: string };
  /** Resolves when it has ended; it is killed, and the test fails, when it hangs. */
  ended: Promise<Ended>;
  /** Waits until a stream has printed something. */
  until(stream: "out" | "err", pattern: RegExp): Promise<void>;
  /** Sends a signal; not by the child's own method, after which Deno tells no exit code. */
  signal(name: "SIGINT" | "SIGTERM"): void;
}

const longestMs = 90_000;
const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** The words that start the command from the checkout. */
export const words: readonly string[] = [
  process.execPath,
  "run",
  "-A",
  "--quiet",
  "--no-check",
  main,
];

/** Starts a program; its standard input stays open until the test ends it. */
export function start(
  [program, ...args]: readonly string[],
  options: {
    cwd?: string;
    env?: Record<string, string | undefined>;
    input?: string | Uint8Array;
  } = {},
): Running {
  const child = spawn(program!, args, {
    cwd: options.cwd,
    // Deno's own colours stand for nobody's wish.
    env: { ...process.env, NO_COLOR: "1", ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
    // A group of its own shows whether something was left behind.
    detached: true,
  });
  const seen = { out: "", err: "" };
  child.stdout!.setEncoding("utf8").on("data", (text) => seen.out += text);
  child.stderr!.setEncoding("utf8").on("data", (text) => seen.err += text);
  child.stdin!.on("error", () => {});
  if (options.input !== undefined) child.stdin!.end(options.input);
  const ended = new Promise<Ended>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`it hangs; it printed ${JSON.stringify(seen)}`));
    }, longestMs);
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, ...seen });
    });
  });
  let over = false;
  ended.then(() => over = true, () => over = true);
  return {
    child,
    seen,
    ended,
    async until(stream, pattern) {
      while (!pattern.test(seen[stream])) {
        if (over) {
          throw new Error(`no ${pattern} in ${JSON.stringify(seen)}`);
        }
        await new Promise((done) => setTimeout(done));
      }
    },
    signal: (name) => void process.kill(child.pid!, name),
  };
}

/** Runs the command to its end. */
export function mote(
  args: readonly string[],
  options: Parameters<typeof start>[1] = {},
): Promise<Ended> {
  return start([...words, ...args], { input: "", ...options }).ended;
}

/** Whether anything of a process's group is still there. */
export function groupIsAlive(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}
