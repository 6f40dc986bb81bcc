import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { SandboxError } from "../errors.ts";
import { withLock } from "./lock.ts";
import { runProgram } from "./programs.ts";
import {
  executables,
  isExecutable,
  type Surroundings,
  type Toolchain,
} from "./toolchain.ts";

/** The version that is installed where none is found. */
export const cargoHyperlightVersion = "0.1.14";

/** The cargo subcommand that builds for `x86_64-hyperlight-none`. */
export interface CargoHyperlight {
  /** Its version. */
  readonly version: string;
  /** Where it is; undefined until it is installed. */
  readonly path: string | undefined;
}

/** Finds the subcommand on the search path or in the cache; says which one would be installed else. */
export async function findCargoHyperlight(
  cacheDir: string,
  around: Surroundings,
): Promise<CargoHyperlight> {
  const cached = _binary(_home(cacheDir));
  const places = await executables(around.env, "cargo-hyperlight");
  for (const path of [...places, cached]) {
    const version = await _versionOf(path, around);
    if (version && _fits(version)) return { version, path };
  }
  return { version: cargoHyperlightVersion, path: undefined };
}

/** Installs the subcommand into the cache, once for all processes; resolves to its file. */
export async function installCargoHyperlight(
  cacheDir: string,
  { cargo, rustc }: Toolchain,
  around: Surroundings,
  onLine: (line: string) => void,
): Promise<string> {
  const home = _home(cacheDir);
  const action = "install cargo-hyperlight";
  const { env, signal } = around;
  return await withLock(`${home}.lock`, { signal, action }, async () => {
    if (await isExecutable(_binary(home))) return _binary(home);
    const partial = `${home}.${crypto.randomUUID()}.part`;
    await mkdir(partial, { recursive: true, mode: 0o700 });
    try {
      const { code, stderr } = await runProgram({
        command: cargo.path,
        args: [
          ["install", "cargo-hyperlight", "--version", cargoHyperlightVersion],
          ["--locked", "--root", partial],
        ].flat(),
        cwd: partial,
        env: {
          ...env,
          RUSTC: rustc.path,
          CARGO_TARGET_DIR: join(partial, "target"),
          CARGO_TERM_COLOR: "never",
        },
        signal,
        onErrorLine: onLine,
      });
      if (code !== 0) {
        throw new SandboxError(
          "TOOLCHAIN_MISSING",
          `Cannot build a guest: cargo-hyperlight ${cargoHyperlightVersion} is not there, and installing it failed:\n${
            stderr.trim().slice(-2_000)
          }\n. Run \`cargo install cargo-hyperlight --version ${cargoHyperlightVersion} --locked\`.`,
        );
      }
      await rm(join(partial, "target"), { recursive: true, force: true });
      await rm(home, { recursive: true, force: true });
      await rename(partial, home);
      return _binary(home);
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  });
}

function _home(cacheDir: string): string {
  return join(cacheDir, "elf", `cargo-hyperlight-${cargoHyperlightVersion}`);
}

function _binary(home: string): string {
  return join(home, "bin", "cargo-hyperlight");
}

/** The interface of its command line is that of 0.1.14 as long as only the last number grows. */
function _fits(version: string): boolean {
  const [, patch] = /^0\.1\.(\d+)$/.exec(version) ?? [];
  return Number(patch) >= 14;
}

async function _versionOf(
  path: string,
  { env, cwd, signal }: Surroundings,
): Promise<string | undefined> {
  if (!await isExecutable(path)) return undefined;
  try {
    const args = ["hyperlight", "--version"];
    const ended = await runProgram({ command: path, args, cwd, env, signal });
    return /^cargo-hyperlight (\S+)/m.exec(ended.stdout)?.[1];
  } catch {
    return undefined;
  }
}
