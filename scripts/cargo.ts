/** How this project calls cargo: where it builds, and what has to be there first. */
import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** The checkout, without a slash at its end. */
export const root = fileURLToPath(new URL("..", import.meta.url)).replace(
  /\/$/,
  "",
);

/** Where programs and builds that can be made again are kept. */
export const cacheDir = `${
  Deno.env.get("XDG_CACHE_HOME") ?? `${homedir()}/.cache`
}/mote`;

/** Shared by all checkouts, so that a second one builds only what differs. */
export const targetDir = Deno.env.get("CARGO_TARGET_DIR") ??
  `${cacheDir}/target`;

/** The environment of every cargo call. */
export const cargoEnv: Record<string, string> = {
  ...Deno.env.toObject(),
  CARGO_TARGET_DIR: targetDir,
  // First, as npx puts its own folder, and with it a system's Rust, before all others.
  PATH: `${homedir()}/.cargo/bin:${Deno.env.get("PATH") ?? ""}`,
};

const oldestRust = [1, 95] as const;

const run = promisify(execFile);

/** The program's first line of `--version`, or undefined when it is not there. */
export async function versionOf(program: string): Promise<string | undefined> {
  try {
    const { stdout } = await run(program, ["--version"], { env: cargoEnv });
    return stdout.split("\n")[0];
  } catch {
    return undefined;
  }
}

/** One line for each program that a build of the library lacks, with its cure. */
export async function missingForBuild(): Promise<string[]> {
  const missing: string[] = [];
  const rust = await versionOf("rustc");
  const [major, minor] =
    /(\d+)\.(\d+)/.exec(rust ?? "")?.slice(1).map(Number) ?? [];
  if (!rust || !(await versionOf("cargo"))) {
    missing.push(
      "cargo and rustc are not on the PATH: install Rust 1.95 or newer with rustup",
    );
  } else if (
    major === undefined || minor === undefined ||
    major < oldestRust[0] || (major === oldestRust[0] && minor < oldestRust[1])
  ) {
    missing.push(
      `${rust} is older than ${
        oldestRust.join(".")
      }: run \`rustup update stable\``,
    );
  }
  if (!(await versionOf("cc"))) {
    missing.push(
      "no C compiler (cc) on the PATH: run `apt-get install build-essential`",
    );
  }
  return missing;
}

/** A cargo build's progress: crates done, of how many, and the newest. */
export type OnCrate = (done: number, total: number, name: string) => void;

async function cratesOf(pkg: string): Promise<number> {
  const { stdout } = await run(
    "cargo",
    [
      "tree",
      "--package",
      pkg,
      "--edges",
      "normal,build",
      "--prefix",
      "none",
      "--no-dedupe",
    ],
    { cwd: root, env: cargoEnv, maxBuffer: 64 << 20 },
  );
  return new Set(stdout.split("\n").filter((line) => line !== "")).size;
}

/** Builds one package in release mode and resolves to the files that came of it. */
export async function buildRelease(
  pkg: string,
  onCrate: OnCrate,
): Promise<string[]> {
  const total = await cratesOf(pkg);
  const seen = new Set<string>();
  const files: string[] = [];
  const child = spawn(
    "cargo",
    [
      "build",
      "--release",
      "--package",
      pkg,
      "--message-format",
      "json-render-diagnostics",
    ],
    {
      cwd: root,
      env: {
        ...cargoEnv,
        CARGO_TERM_PROGRESS_WHEN: "never",
        CARGO_TERM_QUIET: "true",
      },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  let rest = "";
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const message = JSON.parse(line);
      if (message.reason !== "compiler-artifact") continue;
      seen.add(message.package_id);
      if (message.target.name === pkg) files.push(...message.filenames);
      onCrate(Math.min(seen.size, total), total, message.target.name);
    }
  });
  const code = await new Promise<number | null>((done, fail) => {
    child.once("error", fail);
    child.once("close", done);
  });
  if (code !== 0) {
    throw new Error(`Cannot build ${pkg}: cargo ended with ${code}; see above`);
  }
  return files.filter((file) => existsSync(file));
}
