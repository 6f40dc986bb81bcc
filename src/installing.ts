import type {
  Backend,
  OpenSpec,
  RunOutcome,
  Wall,
} from "./backends/backend.ts";
import { SandboxError } from "./errors.ts";
import { throwIfAborted } from "./host_error.ts";
import type { PreparedPackages } from "./install/install.ts";
import type { ProxyRules } from "./install/proxy.ts";
import type { PythonTarget } from "./install/python_target.ts";
import type { ContainerLanguage } from "./languages/language.ts";
import type { InstalledLibrary, Progress } from "./result.ts";

/** What a session has installed. */
export interface Installed {
  /** Everything that is there. */
  readonly libraries: readonly InstalledLibrary[];
  /** What was asked for, where that is resolved together. */
  readonly asked: readonly string[];
}

/** A session, as an installation sees it. */
export interface InstallPlace {
  /** Who opened its wall. */
  readonly backend: Backend;
  /** What it was opened with. */
  readonly spec: OpenSpec;
  /** Its wall. */
  readonly wall: Wall;
  /** Whether native code can run there. */
  readonly native: boolean;
  /** Goes over to a guest that has these libraries and runs native code; absent where that cannot be. */
  readonly goOver?: ((packages: PreparedPackages) => Promise<void>) | undefined;
}

/** How an installation goes on. */
export interface InstallCall {
  /** Cancels it. */
  readonly signal: AbortSignal | undefined;
  /** Is told how far it has come. */
  readonly onProgress: (progress: Progress) => void;
}

/** Installs packages as the session's language and wall want it; answers what came with them, and what there is now. */
export async function install(
  names: readonly string[],
  place: InstallPlace,
  before: Installed,
  call: InstallCall,
): Promise<{ added: InstalledLibrary[]; now: Installed }> {
  const { container } = place.spec;
  if (container && container.language.installer !== "pip") {
    return await _inContainer(names, place, before, call);
  }
  const { installPackages } = await import("./install/install.ts");
  const [{ linuxTarget, pureTarget, pythonRefresh }, { parseRequirement }] =
    await Promise.all(
      [
        import("./install/python_target.ts"),
        import("./install/requirements.ts"),
      ],
    );
  // Before a container is asked anything.
  names.forEach(parseRequirement);
  const target = container
    ? await _pythonOf(place.wall, call.signal)
    : place.native
    ? linuxTarget
    : pureTarget;
  const { goOver } = place;
  let over: PreparedPackages | undefined;
  const added = await installPackages(names, {
    cacheDir: place.spec.cacheDir,
    files: place.wall.files("site-packages"),
    installed: before.libraries,
    target,
    goOver: goOver && (async (packages) => {
      await goOver(packages);
      over = packages;
    }),
    ...call,
  });
  if (over) return { added, now: { ...before, libraries: over.libraries } };
  if (container && place.spec.interactive) {
    await _ask(place.wall, pythonRefresh, call.signal);
  }
  const fresh = new Set(added.map(({ name }) => name));
  const libraries = [
    ...before.libraries.filter(({ name }) => !fresh.has(name)),
    ...added,
  ];
  return { added, now: { libraries, asked: before.asked } };
}

function _ask(
  wall: Wall,
  code: string,
  signal: AbortSignal | undefined,
): Promise<RunOutcome> {
  return wall.run({
    code,
    stdin: "",
    args: [],
    timeMs: null,
    signal,
    onCall: () => Promise.resolve({ error: "failed", message: "no tools" }),
  });
}

/** Asks the container's Python what it is. */
async function _pythonOf(
  wall: Wall,
  signal: AbortSignal | undefined,
): Promise<PythonTarget> {
  const { pythonQuestion, targetOf } = await import(
    "./install/python_target.ts"
  );
  const { stdout, failure } = await _ask(wall, pythonQuestion, signal);
  throwIfAborted(signal, "install packages");
  const text = new TextDecoder().decode(stdout.subarray(0, 1_000));
  const target = failure ? undefined : targetOf(text);
  if (target) return target;
  throw new SandboxError(
    "INSTALL_FAILED",
    `Cannot install packages: the container's Python does not say what it is${
      failure ? ` (${failure.message.replace(/\.$/, "")})` : ""
    }. Use an image with CPython 3.8 or newer.`,
  );
}

const _shell: Omit<ContainerLanguage, "installer"> = {
  image: "",
  file: "install.sh",
  needs: ["sh"],
  run: ["sh", "{file}"],
  env: { LIBRARIES: "{libraries}" },
};
const _proxyPort = 3128;
const _proxy = `http://127.0.0.1:${_proxyPort}`;
const _proxied: Readonly<Record<string, string>> = {
  http_proxy: _proxy,
  https_proxy: _proxy,
  HTTP_PROXY: _proxy,
  HTTPS_PROXY: _proxy,
};
const _leastMemoryMb = 2_048;
const _workspaceMb = 4_096;
const _workspaceFiles = 1_000_000;
const _leastProcesses = 512;

async function _inContainer(
  names: readonly string[],
  { backend, spec, wall }: InstallPlace,
  before: Installed,
  call: InstallCall,
): Promise<{ added: InstalledLibrary[]; now: Installed }> {
  const container = spec.container!;
  const { installer } = container.language;
  if (installer === "pip") throw new TypeError("pip runs on the host");
  if (container.containerId !== undefined) {
    throw new SandboxError(
      "UNSUPPORTED",
      "Cannot install packages: the container is one that runs already, and a second one like it cannot be made. Give its image instead of containerId.",
    );
  }
  const { installInContainer, installTimeMs } = await import(
    "./install/container.ts"
  );
  const image = wall.imageSha256 ?? container.dockerfile ?? container.image;
  const open = async (
    env: Readonly<Record<string, string>>,
    rules: ProxyRules,
    signal: AbortSignal | undefined,
  ): Promise<Wall> => {
    const { limits } = spec;
    const opened = {
      ...spec,
      interactive: false,
      tools: [],
      limits: {
        ...limits,
        timeMs: installTimeMs,
        cpuMs: null,
        memoryMb: Math.max(limits.memoryMb, _leastMemoryMb),
        workspaceMb: _workspaceMb,
        workspaceFiles: _workspaceFiles,
        processes: Math.max(limits.processes, _leastProcesses),
        outputBytes: 1 << 30,
        onOutputLimit: "truncate" as const,
      },
      signal,
      onProgress: call.onProgress,
      container: {
        ...container,
        language: { ..._shell, installer },
        commitContainer: false,
        skipEnvironmentSetup: true,
        workdir: "/sandbox",
      },
    };
    const { Proxy } = await import("./install/proxy.ts");
    const proxy = new Proxy(rules);
    const box = await backend.open({
      ...opened,
      env: { ...env, ..._proxied },
      // A pod has all of its sockets or none, and the way to the proxy is one.
      container: {
        ...opened.container,
        rights: backend.name === "kubernetes" ? { net: true } : {},
      },
    });
    if (box.serve) {
      await box.serve(_proxyPort, proxy.take);
      return {
        run: (request) => box.run(request),
        files: (root) => box.files(root),
        close: async () => {
          proxy.close();
          await box.close();
        },
      };
    }
    await box.close();
    return await backend.open({
      ...opened,
      env,
      container: { ...opened.container, rights: { net: true } },
    });
  };
  const { libraries, asked } = await installInContainer(names, {
    installer,
    image,
    open,
    cacheDir: spec.cacheDir,
    files: wall.files("site-packages"),
    asked: before.asked,
    ...call,
  });
  return { added: [...libraries], now: { libraries, asked } };
}
