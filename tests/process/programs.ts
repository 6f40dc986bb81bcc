/** Starts a fixture as a process of its own, on the runtime that the test runs on. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const ending = import.meta.url.slice(import.meta.url.lastIndexOf("."));

/** How a process ended. */
export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Longest time that a fixture may take, in ms; compiling a guest is the slowest part. */
const longestMs = 60_000;

/** Runs `fixtures/NAME` to its end; kills it and fails when it hangs. */
export function runFixture(
  name: string,
  env: Record<string, string> = {},
): Promise<Ended> {
  const file = fileURLToPath(
    new URL(`./fixtures/${name}${ending}`, import.meta.url),
  );
  const args = "Deno" in globalThis ? ["run", "-A", "--quiet", file] : [file];
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, args, {
      env: { ...process.env, NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on(
      "data",
      (text: string) => void (stdout += text),
    );
    child.stderr.setEncoding("utf8").on(
      "data",
      (text: string) => void (stderr += text),
    );
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      fail(
        new Error(
          `${name} did not end within ${longestMs} ms; it printed ${stdout}${stderr}`,
        ),
      );
    }, longestMs);
    child.once("error", fail);
    child.once("close", (code) => {
      clearTimeout(timer);
      done({ code, stdout, stderr });
    });
  });
}

/** An empty folder of this user's own, gone afterwards. */
export async function withFolder<T>(
  body: (dir: string) => Promise<T>,
): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), "mote-process-"));
  try {
    return await body(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
