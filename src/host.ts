// The few things of the host that the way to the first run needs. In Deno they
// come from Deno itself: loading node:fs and node:process there costs more than
// the whole start is allowed to.

/** What the start needs of the host. */
export interface Host {
  /** The operating system, as Node names it. */
  readonly platform: "linux" | "darwin" | "win32";
  /** The processor, as Node names it. */
  readonly arch: string;
  /** An environment variable; undefined also when it may not be read. */
  env(name: string): string | undefined;
  /** The working directory. */
  cwd(): string;
  /** Reads a text file; undefined when there is none. */
  readText(path: string): string | undefined;
  /** Whether there is a file. */
  exists(path: string): boolean;
  /** Writes to stderr. */
  log(text: string): void;
  /** Whether stderr is a terminal. */
  readonly terminal: boolean;
}

let _host: Host | undefined;

/** The host, found once. */
export async function loadHost(): Promise<Host> {
  return _host ??= "Deno" in globalThis ? _deno() : await _node();
}

function _deno(): Host {
  const encoder = new TextEncoder();
  const platforms = { darwin: "darwin", windows: "win32" } as const;
  return {
    platform: platforms[Deno.build.os as "darwin" | "windows"] ?? "linux",
    arch: Deno.build.arch === "aarch64" ? "arm64" : "x64",
    env(name) {
      try {
        return Deno.env.get(name);
      } catch {
        return undefined;
      }
    },
    cwd: () => Deno.cwd(),
    readText(path) {
      try {
        return Deno.readTextFileSync(path);
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return undefined;
        throw error;
      }
    },
    exists(path) {
      try {
        return Deno.statSync(path).isFile;
      } catch {
        return false;
      }
    },
    log: (text) => void Deno.stderr.writeSync(encoder.encode(text)),
    get terminal() {
      return Deno.stderr.isTerminal();
    },
  };
}

async function _node(): Promise<Host> {
  const [{ default: process }, fs] = await Promise.all([
    import("node:process"),
    import("node:fs"),
  ]);
  return {
    platform: process.platform as Host["platform"],
    arch: process.arch,
    env: (name) => process.env[name],
    cwd: () => process.cwd(),
    readText(path) {
      try {
        return fs.readFileSync(path, "utf8");
      } catch (error) {
        if ((error as { code?: string }).code === "ENOENT") return undefined;
        throw error;
      }
    },
    exists: (path) =>
      fs.statSync(path, { throwIfNoEntry: false })?.isFile() ?? false,
    log: (text) => void process.stderr.write(text),
    get terminal() {
      return process.stderr.isTTY === true;
    },
  };
}

/** The path of a file URL. */
export function pathOf(url: URL, platform: Host["platform"]): string {
  const path = decodeURIComponent(url.pathname);
  return platform === "win32" ? path.slice(1).replaceAll("/", "\\") : path;
}

/** Whether a path does not depend on the working directory. */
export function isAbsolute(path: string, platform: Host["platform"]): boolean {
  return platform === "win32"
    ? /^([A-Za-z]:)?[\\/]/.test(path)
    : path.startsWith("/");
}
