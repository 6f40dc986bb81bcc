import { access, constants, stat } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { SandboxError } from "../errors.ts";
import { runProgram } from "./programs.ts";

/** A program of the toolchain. */
export interface Tool {
  /** Where it is, absolute. */
  readonly path: string;
  /** What it says of its version, one line. */
  readonly version: string;
}

/** What a guest is built with. */
export interface Toolchain {
  /** Cargo of the same Rust. */
  readonly cargo: Tool;
  /** A Rust that has the sources of its standard library. */
  readonly rustc: Tool;
  /** Compiles the C parts of a guest. */
  readonly clang: Tool;
  /** Links it. */
  readonly lld: Tool;
  /** Archives C objects; the system's where it is absent. */
  readonly ar: string | undefined;
}

/** Where to look for tools. */
export interface Surroundings {
  /** The environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Where the guest's sources are: a `rust-toolchain.toml` there counts. */
  readonly cwd: string;
  /** Stops looking. */
  readonly signal?: AbortSignal | undefined;
}

const _oldestRust = [1, 89] as const;
const _oldestClang = 18;
const _llvmVersions = Array.from({ length: 15 }, (_, index) => 30 - index);

interface Missing {
  readonly piece: string;
  readonly cure: string;
}

/** Finds every tool, or throws TOOLCHAIN_MISSING with each piece that is not there and how to get it. */
export async function findToolchain(around: Surroundings): Promise<Toolchain> {
  const [rust, clang, ar] = await Promise.all([
    _findRust(around),
    _findClang(around),
    _first(around, ["llvm-ar", ..._llvmVersions.map((n) => `llvm-ar-${n}`)]),
  ]);
  const lld = await _findLld(around, "piece" in rust ? undefined : rust.libs);
  const missing = [rust, clang, lld].filter((one): one is Missing =>
    "piece" in one
  );
  if ("piece" in rust || "piece" in clang || "piece" in lld) {
    throw new SandboxError(
      "TOOLCHAIN_MISSING",
      `Cannot build a guest: ${missing.map(({ piece }) => piece).join("; ")}. ${
        missing.map(({ cure }) => cure).join(" ")
      }`,
    );
  }
  return { cargo: rust.cargo, rustc: rust.rustc, clang, lld, ar };
}

/** Folders that tools are looked for in; Rust's own place counts although a service's PATH may lack it. */
export function searchPath(env: Readonly<Record<string, string>>): string[] {
  const own = env.CARGO_HOME ?? (env.HOME && join(env.HOME, ".cargo"));
  const listed = (env.PATH ?? "").split(delimiter).filter((dir) => dir !== "");
  return [...new Set(own ? [...listed, join(own, "bin")] : listed)];
}

/** Every executable of one name on the search path. */
export async function executables(
  env: Readonly<Record<string, string>>,
  name: string,
): Promise<string[]> {
  const found: string[] = [];
  for (const dir of searchPath(env)) {
    const path = join(dir, name);
    if (await isExecutable(path)) found.push(path);
  }
  return found;
}

/** Whether a path is a file that may be run. */
export async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

async function _first(
  { env }: Surroundings,
  names: readonly string[],
): Promise<string | undefined> {
  for (const name of names) {
    const [path] = await executables(env, name);
    if (path) return path;
  }
}

/** What a program prints; undefined when it fails. */
async function _ask(
  { env, cwd, signal }: Surroundings,
  command: string,
  ...args: string[]
): Promise<string | undefined> {
  try {
    const { code, stdout } = await runProgram({
      command,
      args,
      cwd,
      env,
      signal,
    });
    return code === 0 ? stdout.trim() : undefined;
  } catch {
    return undefined;
  }
}

interface Rust {
  readonly cargo: Tool;
  readonly rustc: Tool;
  /** Where this Rust keeps its own linker, if it has one. */
  readonly libs: string;
}

async function _findRust(around: Surroundings): Promise<Rust | Missing> {
  const asked = around.env.RUSTC;
  const compilers = [
    ...asked ? [asked] : [],
    ...await executables(around.env, "rustc"),
  ];
  let nearest: Missing | undefined;
  for (const rustc of compilers) {
    const found = await _rustAt(around, rustc);
    if (!("piece" in found)) return found;
    nearest ??= found;
  }
  return nearest ?? {
    piece: "there is no rustc on the PATH",
    cure: `Install Rust ${
      _oldestRust.join(".")
    } or newer with rustup, then run \`rustup component add rust-src\` (Debian: apt-get install rustc-web cargo-web rust-web-src).`,
  };
}

async function _rustAt(
  around: Surroundings,
  rustc: string,
): Promise<Rust | Missing> {
  const said = await _ask(around, rustc, "-vV");
  const sysroot = await _ask(around, rustc, "--print", "sysroot");
  const [, major, minor] = /^release: (\d+)\.(\d+)/m.exec(said ?? "") ?? [];
  const hostTriple = /^host: (\S+)/m.exec(said ?? "")?.[1];
  if (!said || !sysroot || !hostTriple) {
    return {
      piece: `${rustc} does not say its version`,
      cure: "Mend or remove it, or run `rustup default stable`.",
    };
  }
  const version = said.split("\n")[0]!;
  if (
    Number(major) < _oldestRust[0] ||
    (Number(major) === _oldestRust[0] && Number(minor) < _oldestRust[1])
  ) {
    return {
      piece: `${version} at ${rustc} is older than ${_oldestRust.join(".")}`,
      cure:
        "Run `rustup update stable` (Debian: apt-get install rustc-web cargo-web rust-web-src).",
    };
  }
  const library = join(sysroot, "lib", "rustlib", "src", "rust", "library");
  if (!await _exists(join(library, "core", "src", "lib.rs"))) {
    return {
      piece:
        `${version} at ${rustc} has no sources of its standard library in ${library}`,
      cure:
        "Run `rustup component add rust-src` (Debian: apt-get install rustc-web cargo-web rust-web-src).",
    };
  }
  // Past rustup's proxies, which would choose again wherever they are called.
  const real = async (name: string) => {
    const inSysroot = join(sysroot, "bin", name);
    if (await isExecutable(inSysroot)) return inSysroot;
    const beside = join(dirname(rustc), name);
    return await isExecutable(beside) ? beside : undefined;
  };
  // Under a running cargo the variable names that one, whichever compiler was found.
  const asked = rustc === around.env.RUSTC ? around.env.CARGO : undefined;
  const cargo = asked ?? await real("cargo");
  const cargoVersion = cargo && await _ask(around, cargo, "--version");
  if (!cargo || !cargoVersion) {
    return {
      piece: `there is no cargo beside ${rustc}`,
      cure: "Install Rust with rustup (Debian: apt-get install cargo-web).",
    };
  }
  return {
    cargo: { path: cargo, version: cargoVersion },
    rustc: {
      path: await real("rustc") ?? rustc,
      version: said.replaceAll("\n", " "),
    },
    libs: join(sysroot, "lib", "rustlib", hostTriple, "bin"),
  };
}

async function _findClang(around: Surroundings): Promise<Tool | Missing> {
  const names = ["clang", ..._llvmVersions.map((n) => `clang-${n}`)];
  let old = "";
  for (const name of names) {
    for (const path of await executables(around.env, name)) {
      const version = (await _ask(around, path, "--version"))?.split("\n")[0];
      const major = Number(/version (\d+)/.exec(version ?? "")?.[1]);
      if (version && major >= _oldestClang) return { path, version };
      if (version) old ||= `${version} at ${path} is older than`;
    }
  }
  return {
    piece: old
      ? `${old} ${_oldestClang}`
      : `there is no clang ${_oldestClang} or newer on the PATH`,
    cure:
      `Install clang ${_oldestClang} or newer (Debian: apt-get install clang-19).`,
  };
}

async function _findLld(
  around: Surroundings,
  libs: string | undefined,
): Promise<Tool | Missing> {
  const own = libs && join(libs, "rust-lld");
  const names = [
    "rust-lld",
    "ld.lld",
    ..._llvmVersions.map((n) => `ld.lld-${n}`),
  ];
  const paths = own && await isExecutable(own) ? [own] : [];
  for (const name of names) paths.push(...await executables(around.env, name));
  for (const path of paths) {
    // rustc calls it so; rust-lld under its own name wants to be told what it is.
    const version = await _ask(around, path, "-flavor", "gnu", "--version");
    if (version) return { path, version: version.split("\n")[0]! };
  }
  return {
    piece: "there is no lld on the PATH: neither rust-lld nor ld.lld",
    cure:
      "Install lld (Debian: apt-get install lld-19), or Rust with rustup, which brings one.",
  };
}

async function _exists(path: string): Promise<boolean> {
  return await stat(path).then(() => true, () => false);
}
