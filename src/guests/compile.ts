import { mkdir, rm, symlink } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { SandboxError } from "../errors.ts";
import type { Progress } from "../result.ts";
import type { GuestCrate } from "./crate.ts";
import { runProgram } from "./programs.ts";
import type { Toolchain } from "./toolchain.ts";

/** What a guest can be built for; both run in the same VM, the second without SSE. */
export type GuestTarget = "x86_64-hyperlight-none" | "x86_64-unknown-none";

/** One compilation. */
export interface Compilation {
  /** The crate. */
  readonly crate: GuestCrate;
  /** What for. */
  readonly target: GuestTarget;
  /** What with. */
  readonly toolchain: Toolchain;
  /** The cargo subcommand; only `x86_64-hyperlight-none` needs it. */
  readonly cargoHyperlight: string | undefined;
  /** Where to put everything that is made. */
  readonly folder: string;
  /** The environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Is told how far it is. */
  readonly onProgress: (progress: Progress) => void;
}

// core, alloc and compiler_builtins are built as well.
const _ownPackages = 3;
const _shownChars = 4_000;
const _none = [
  "-Zbuild-std=core,alloc",
  "-Zbuild-std-features=compiler_builtins/mem",
];

/** Compiles a crate; resolves to the ELF file. */
export async function compileGuest(job: Compilation): Promise<string> {
  const { crate, target, toolchain, cargoHyperlight, folder, signal } = job;
  const progress = _counter(job);
  const own = target === "x86_64-hyperlight-none";
  const { code, stderr } = await runProgram({
    command: own && cargoHyperlight ? cargoHyperlight : toolchain.cargo.path,
    args: [
      ...own ? ["hyperlight"] : [],
      ["build", "--release", "--target", target, "--bin", crate.bin],
      ["--manifest-path", join(crate.dir, "Cargo.toml")],
      ["--target-dir", join(folder, "target")],
      ["--message-format", "json-render-diagnostics", "--locked"],
      ...own ? [] : _none,
    ].flat(),
    cwd: crate.dir,
    env: await _environment(job),
    signal,
    onLine: progress.message,
    onErrorLine: progress.line,
  });
  if (code === 0) {
    const file = progress.executable();
    if (file) return file;
  }
  throw new SandboxError(
    "GUEST_BUILD_FAILED",
    `Cannot build guest ${crate.name}: ${
      code === 0 ? "cargo names no file that it made" : _complaint(stderr)
    }\n. Mend the crate and build again.`,
    { cause: new Error(stderr) },
  );
}

/** Plain names of versioned tools, which cargo and what it starts look for on the PATH. */
async function _linkTools(
  { folder, toolchain: { clang, lld, ar } }: Compilation,
): Promise<string> {
  const dir = join(folder, "bin");
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  await symlink(clang.path, join(dir, "clang"));
  await symlink(lld.path, join(dir, "rust-lld"));
  if (ar) await symlink(ar, join(dir, "llvm-ar"));
  return dir;
}

async function _environment(job: Compilation): Promise<Record<string, string>> {
  const { cargo, rustc } = job.toolchain;
  const bin = await _linkTools(job);
  // A cargo or rustup around this process has left words of its own; they mean other builds.
  const kept = Object.entries(job.env).filter(([name]) =>
    !/^(CARGO_(TARGET|BUILD|ENCODED|PKG|MANIFEST|CFG|FEATURE|BIN|CRATE|PRIMARY)|RUSTUP_TOOLCHAIN)/
      .test(name)
  );
  const env: Record<string, string> = {
    ...Object.fromEntries(kept),
    PATH: [bin, dirname(cargo.path), job.env.PATH ?? ""].join(delimiter),
    CARGO: cargo.path,
    RUSTC: rustc.path,
    // The standard library's sources and custom targets are open to a nightly compiler, or to one that is told so.
    RUSTC_BOOTSTRAP: "1",
    CARGO_TERM_COLOR: "never",
    CARGO_TERM_PROGRESS_WHEN: "never",
  };
  const flags = [job.env.RUSTFLAGS ?? "", ..._withoutPlaces(job)];
  if (job.target === "x86_64-unknown-none") {
    env.CARGO_TARGET_X86_64_UNKNOWN_NONE_LINKER = join(bin, "rust-lld");
    flags.push("--cfg=hyperlight", "--check-cfg=cfg(hyperlight)");
    flags.push("-Clink-arg=-eentrypoint", "-Clink-arg=-znostart-stop-gc");
  }
  env.RUSTFLAGS = flags.filter((flag) => flag !== "").join(" ");
  return env;
}

/** Panics carry the names of source files: without the places on this machine a build is the same everywhere. */
function _withoutPlaces({ crate, env }: Compilation): string[] {
  const home = env.CARGO_HOME ?? `${env.HOME}/.cargo`;
  return [[home, "/cargo"], [crate.dir, "/guest"]]
    .filter(([place]) => !/\s/.test(place!))
    .map(([place, name]) => `--remap-path-prefix=${place}=${name}`);
}

interface Counter {
  readonly message: (line: string) => void;
  readonly line: (line: string) => void;
  readonly executable: () => string | undefined;
}

function _counter({ crate, target, onProgress }: Compilation): Counter {
  const total = crate.packages + _ownPackages;
  const made = new Set<string>();
  let executable: string | undefined;
  const tell = (text: string) =>
    onProgress({
      stage: "compile",
      done: Math.min(made.size, total),
      total,
      text: `building guest ${crate.name}: ${text}`,
    });
  tell(`core and alloc for ${target}`);
  return {
    message(line) {
      if (!line.startsWith('{"reason":"compiler-artifact"')) return;
      const artifact = JSON.parse(line);
      executable = artifact.executable ?? executable;
      made.add(artifact.package_id);
      tell(artifact.target.name);
    },
    line(line) {
      const [, name] =
        /^\s+(?:Compiling|Downloading|Downloaded) (.+)$/.exec(line) ?? [];
      if (name) tell(name);
    },
    executable: () => executable,
  };
}

/** What the compiler said, from its first error on. */
function _complaint(stderr: string): string {
  const at = stderr.search(/^(error|Error)/m);
  const text = (at < 0 ? stderr : stderr.slice(at)).trim();
  if (text.length <= _shownChars) return text || "cargo said nothing";
  return at < 0 ? text.slice(-_shownChars) : text.slice(0, _shownChars);
}
