import { createHash } from "node:crypto";
import { readdir, readFile, readlink, stat } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import { SandboxError } from "../errors.ts";
import { invalidElf } from "./elf.ts";
import { runProgram } from "./programs.ts";
import type { Surroundings, Toolchain } from "./toolchain.ts";

/** A Rust crate that a guest is built from. */
export interface GuestCrate {
  /** Its name. */
  readonly name: string;
  /** Where its Cargo.toml is. */
  readonly dir: string;
  /** The binary to build. */
  readonly bin: string;
  /** How many packages a build compiles. */
  readonly packages: number;
  /** Hash of all sources that are on this machine, and of the lock file. */
  readonly sha256: string;
}

const _mostFiles = 20_000;
const _skipped: ReadonlySet<string> = new Set(["target", ".git"]);

interface Package {
  readonly id: string;
  readonly name: string;
  readonly source: string | null;
  readonly manifest_path: string;
  readonly default_run: string | null;
  readonly targets: readonly {
    readonly name: string;
    readonly kind: readonly string[];
  }[];
}

interface Metadata {
  readonly packages: readonly Package[];
  readonly workspace_root: string;
}

/** Reads a crate with cargo, which also writes the lock file where there is none. */
export async function readCrate(
  dir: string,
  { cargo, rustc }: Toolchain,
  around: Surroundings,
): Promise<GuestCrate> {
  let text = "";
  const ended = await runProgram({
    command: cargo.path,
    args: ["metadata", "--format-version", "1", "--color", "never"],
    cwd: dir,
    env: { ...around.env, RUSTC: rustc.path },
    signal: around.signal,
    onLine: (line) => {
      if (line.startsWith("{")) text = line;
    },
  });
  if (ended.code !== 0) {
    throw new SandboxError(
      "GUEST_BUILD_FAILED",
      `Cannot build guest ${basename(dir)}: cargo cannot read it:\n${
        ended.stderr.trim().slice(-4_000)
      }\n. Mend its Cargo.toml.`,
    );
  }
  const metadata: Metadata = JSON.parse(text);
  const own = metadata.packages.find(({ manifest_path }) =>
    dirname(manifest_path) === dir
  );
  if (!own) {
    throw invalidElf(
      basename(dir),
      "its Cargo.toml describes a workspace and no package",
      "Give the folder of one package",
    );
  }
  const locals = metadata.packages.filter(({ source }) => source === null)
    .map(({ manifest_path }) => dirname(manifest_path));
  return {
    name: own.name,
    dir,
    bin: _binOf(own),
    packages: metadata.packages.length,
    sha256: await _hashSources(
      dir,
      locals,
      metadata.workspace_root,
      around.env,
    ),
  };
}

function _binOf({ name, targets, default_run }: Package): string {
  const bins = targets.filter(({ kind }) => kind.includes("bin"))
    .map((target) => target.name);
  const [only] = bins;
  if (only !== undefined && bins.length === 1) return only;
  if (default_run !== null) return default_run;
  throw bins.length === 0
    ? invalidElf(name, "it has no binary", "Add a src/main.rs")
    : invalidElf(
      name,
      `it has the binaries ${bins.join(", ")}`,
      "Say which with default-run in its Cargo.toml",
    );
}

/** Hashes local packages, and what a workspace above them decides; places count relative to the crate only. */
async function _hashSources(
  dir: string,
  packages: readonly string[],
  workspace: string,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const files = new Map<string, string>();
  const add = async (
    path: string,
    name = relative(dir, path).split(sep).join("/"),
  ) => {
    if (files.has(name)) return;
    if (files.size >= _mostFiles) {
      throw invalidElf(
        basename(dir),
        `its sources are more than ${_mostFiles} files`,
        "Move what is no source out of its folder",
      );
    }
    files.set(name, await _hashFile(path));
  };
  const roots = [...new Set([dir, ...packages])];
  const outer = roots.filter((one) =>
    !roots.some((other) => one !== other && one.startsWith(other + sep))
  );
  for (const root of outer) {
    for await (const path of _walk(root)) await add(path);
  }
  for (const name of ["Cargo.toml", "Cargo.lock"]) {
    await add(join(workspace, name));
  }
  let nearness = 0;
  for (const path of _settings(dir, env)) {
    if (await stat(path).then((one) => one.isFile(), () => false)) {
      await add(path, `settings ${nearness++} ${basename(path)}`);
    }
  }
  const hash = createHash("sha256");
  for (const name of [...files.keys()].sort()) {
    hash.update(`${name}\0${files.get(name)}\n`);
  }
  return hash.digest("hex");
}

/** Files above a crate that change how it is built, the nearest first. */
function _settings(
  dir: string,
  env: Readonly<Record<string, string>>,
): string[] {
  const names: string[] = [];
  for (let at = dir; at !== dirname(at); at = dirname(at)) {
    names.push(join(at, ".cargo", "config.toml"), join(at, ".cargo", "config"));
    names.push(join(at, "rust-toolchain.toml"), join(at, "rust-toolchain"));
  }
  const home = env.CARGO_HOME ?? (env.HOME && join(env.HOME, ".cargo"));
  if (home) names.push(join(home, "config.toml"), join(home, "config"));
  return [...new Set(names)];
}

async function* _walk(dir: string): AsyncGenerator<string> {
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    if (_skipped.has(entry.name)) continue;
    const path = join(dir, entry.name);
    if (entry.isDirectory()) yield* _walk(path);
    else if (entry.isFile() || entry.isSymbolicLink()) yield path;
  }
}

async function _hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    hash.update(await readFile(path));
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") {
      return `-> ${await readlink(path).catch(() => "")}`;
    }
    // A link to a folder: where it leads counts, not what is there.
    if ((error as { code?: string }).code !== "EISDIR") throw error;
    return `-> ${await readlink(path).catch(() => "")}`;
  }
  return hash.digest("hex");
}
