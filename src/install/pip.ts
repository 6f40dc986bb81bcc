import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SandboxError } from "../errors.ts";
import { throwIfAborted } from "../host_error.ts";
import type { PythonTarget } from "./python_target.ts";

/** A package at an exact version, and the wheel that holds it. */
export interface Wheel {
  /** The name as its authors write it. */
  readonly name: string;
  /** The exact version. */
  readonly version: string;
  /** SHA-256 of the wheel, in hex. */
  readonly sha256: string;
  /** Whether it runs on any machine. */
  readonly pure: boolean;
}

const _common = ["--quiet", "--no-input", "--disable-pip-version-check"];
const _compile = `
import compileall, py_compile, sys
if sys.version_info[:2] == (3, 11):
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(sys.argv[1], quiet=2, invalidation_mode=mode,
                           stripdir=sys.argv[1], prependdir="/site-packages")
`;
const _keptErrorChars = 4_000;
const _mostReportBytes = 67_108_864;

interface Ended {
  readonly code: number | null;
  readonly errors: string;
}

/** Resolves and downloads Python packages with the host's pip, in a directory of its own. */
export class Pip {
  readonly #dir: string;
  readonly #python: string;
  readonly #signal: AbortSignal | undefined;

  private constructor(
    dir: string,
    python: string,
    signal: AbortSignal | undefined,
  ) {
    this.#dir = dir;
    this.#python = python;
    this.#signal = signal;
  }

  /** Has pip for as long as `work` takes. */
  static async with<T>(
    signal: AbortSignal | undefined,
    work: (pip: Pip) => Promise<T>,
  ): Promise<T> {
    // An empty working directory: no file there can be taken for a package.
    const dir = await mkdtemp(join(tmpdir(), "mote-pip-"));
    try {
      return await work(new Pip(dir, await _findPython(dir, signal), signal));
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  }

  /** Exact versions for what was asked, or what pip said when there are none. */
  async resolve(
    requirements: readonly string[],
    target: PythonTarget,
  ): Promise<Wheel[] | string> {
    const kind = target.pure ? "pure" : "native";
    const report = join(this.#dir, `${kind}.json`);
    const { code, errors } = await this.#run(
      ["install", "--dry-run", "--ignore-installed", "--report", report],
      ["--target", join(this.#dir, "none")],
      _wheels(target),
      ["--", ...requirements],
    );
    if (code !== 0) return errors;
    return await _readReport(report);
  }

  /**
   * Unpacks wheels into a directory; pip checks their hashes. Where the host's
   * Python is of the guest's version, its byte code is made too, so that a run
   * does not compile what it imports.
   */
  async unpack(
    wheels: readonly Wheel[],
    into: string,
    target: PythonTarget,
  ): Promise<void> {
    const pins = wheels.map(({ name, version, sha256 }) =>
      `${name}==${version} --hash=sha256:${sha256}`
    );
    const list = join(this.#dir, "pinned.txt");
    await writeFile(list, `${pins.join("\n")}\n`);
    const { code, errors } = await this.#run(
      ["install", "--no-deps", "--no-compile", "--require-hashes"],
      ["--target", into, ..._wheels(target), "--requirement", list],
    );
    if (code !== 0) {
      throw failed(
        wheels.map(({ name }) => name),
        "pip could not download it",
        "Try again",
        errors,
      );
    }
    await _spawn(
      this.#python,
      ["-c", _compile, into],
      this.#dir,
      this.#signal,
    );
  }

  /** Whether the index knows any version of a package, of whatever kind. */
  async exists(name: string): Promise<boolean> {
    const { code } = await this.#run(["index", "versions"], ["--", name]);
    return code === 0;
  }

  async #run(...args: readonly (readonly string[])[]): Promise<Ended> {
    const [first = [], ...rest] = args;
    const all = ["-m", "pip", ...first, ..._common, ...rest.flat()];
    return await _spawn(this.#python, all, this.#dir, this.#signal);
  }
}

/** The error for packages that cannot be had. */
export function failed(
  names: readonly string[],
  state: string,
  cure: string,
  said?: string,
): SandboxError {
  return new SandboxError(
    "INSTALL_FAILED",
    `Cannot install ${names.join(", ")}: ${state}. ${cure}.`,
    said ? { cause: new Error(said) } : {},
  );
}

async function _findPython(
  dir: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  for (const python of ["python3", "python"]) {
    const code = "import pip, sys; v = pip.__version__.split('.');" +
      "sys.exit(int(v[0]) < 23)";
    const ended = await _spawn(python, ["-c", code], dir, signal).catch(
      (error) => {
        if (error instanceof SandboxError) throw error;
      },
    );
    if (ended?.code === 0) return python;
  }
  throw new SandboxError(
    "TOOLCHAIN_MISSING",
    "Cannot install packages: there is no python3 with pip 23 or later on the PATH. Install it (Debian: apt install python3-pip).",
  );
}

function _spawn(
  command: string,
  args: readonly string[],
  cwd: string,
  signal: AbortSignal | undefined,
): Promise<Ended> {
  throwIfAborted(signal, "install packages");
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      stdio: ["ignore", "ignore", "pipe"],
    });
    const abort = () => void child.kill("SIGKILL");
    signal?.addEventListener("abort", abort);
    let errors = "";
    child.stderr.setEncoding("utf8");
    child.stderr.on("data", (text: string) => {
      errors = (errors + text).slice(-_keptErrorChars);
    });
    const end = () => signal?.removeEventListener("abort", abort);
    child.on("error", (error) => {
      end();
      reject(error);
    });
    child.on("close", (code) => {
      end();
      try {
        throwIfAborted(signal, "install packages");
        resolve({ code, errors: errors.trim() });
      } catch (error) {
        reject(error);
      }
    });
  });
}

function _wheels({ version, tags }: PythonTarget): string[] {
  return ["--only-binary=:all:", "--python-version", version, ...tags];
}

interface ReportItem {
  readonly metadata: { readonly name: string; readonly version: string };
  readonly download_info: {
    readonly url: string;
    readonly archive_info?: { readonly hashes?: { readonly sha256?: string } };
  };
}

async function _readReport(file: string): Promise<Wheel[]> {
  const bytes = await readFile(file);
  if (bytes.byteLength > _mostReportBytes) {
    throw failed(["the packages"], "pip's report is too long", "Ask for fewer");
  }
  const { install } = JSON.parse(bytes.toString("utf8")) as {
    install: ReportItem[];
  };
  return install.map(({ metadata, download_info }) => ({
    name: metadata.name,
    version: metadata.version,
    sha256: download_info.archive_info?.hashes?.sha256 ?? "",
    pure: /-none-any\.whl$/.test(new URL(download_info.url).pathname),
  }));
}
