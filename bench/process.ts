import { execFile, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import process from "node:process";

const execute = promisify(execFile);

/** µs from starting a host process to its first output byte; throws when the output is not `expected`. */
export function firstByte(
  command: string,
  args: string[],
  expected: string,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    let first = 0;
    let text = "";
    const child = spawn(command, args, {
      stdio: ["ignore", "pipe", "inherit"],
    });
    child.stdout.on("data", (chunk) => {
      first ||= performance.now();
      text += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code !== 0 || text !== expected) {
        reject(
          new Error(
            `${command} answered ${JSON.stringify(text)}, exit code ${code}`,
          ),
        );
      } else resolve((first - started) * 1000);
    });
  });
}

/** Runs a host command to its end and answers its stdout. */
export async function output(
  command: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<string> {
  const { stdout } = await execute(command, args, {
    env: { ...process.env, ...env },
    maxBuffer: 1 << 26,
  });
  return stdout;
}

/** Runs one of bench/children in a process of its own and parses the JSON that it prints last. */
export async function child<T>(
  name: string,
  args: string[] = [],
  env: Record<string, string> = {},
): Promise<T> {
  const file = fileURLToPath(new URL(`./children/${name}.ts`, import.meta.url));
  const text = await output(
    process.execPath,
    ["run", "-A", "--quiet", file, ...args],
    env,
  );
  return JSON.parse(text.trim().split("\n").at(-1)!) as T;
}

/** The host's CPython of the guest's own minor version, or undefined. */
export async function nativePython(): Promise<string | undefined> {
  for (const command of ["/usr/bin/python3.11", "python3.11", "python3"]) {
    try {
      const version = await output(command, ["-I", "-V"]);
      if (version.includes("3.11.")) return command;
    } catch {
      continue;
    }
  }
  return undefined;
}
