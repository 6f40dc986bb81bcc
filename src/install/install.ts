import type { FileStore } from "../backends/backend.ts";
import type { SandboxError } from "../errors.ts";
import { chunkBytes, hostError, throwIfAborted } from "../host_error.ts";
import type { InstalledLibrary, Progress } from "../result.ts";
import { failed, Pip, type Wheel } from "./pip.ts";
import { parallel } from "./parallel.ts";
import { linuxTarget, type PythonTarget } from "./python_target.ts";
import {
  normalName,
  parseRequirement,
  type Requirement,
} from "./requirements.ts";
import { Damaged, PackageStore, type PackageTree } from "./store.ts";

/** What an installation needs to know. */
export interface InstallContext {
  /** Where downloads are kept. */
  readonly cacheDir: string;
  /** Where the libraries go. */
  readonly files: FileStore;
  /** What is there already. */
  readonly installed: readonly InstalledLibrary[];
  /** The Python that is there. */
  readonly target: PythonTarget;
  /** Goes over to a guest that has these libraries and runs native code; absent where that cannot be. */
  readonly goOver?: ((packages: PreparedPackages) => Promise<void>) | undefined;
  /** Cancels it. */
  readonly signal: AbortSignal | undefined;
  /** Is told how far it has come. */
  readonly onProgress: (progress: Progress) => void;
}

const _action = "install packages";
const _mostAttempts = 3;

/** Puts packages and what they need into a session. */
export async function installPackages(
  names: readonly string[],
  context: InstallContext,
): Promise<InstalledLibrary[]> {
  const requirements = names.map(parseRequirement);
  if (requirements.length === 0) return [];
  throwIfAborted(context.signal, _action);
  try {
    return await _install(requirements, context);
  } catch (error) {
    throw hostError(error, _action);
  }
}

/** Packages that lie unpacked in the cache, and the list of their files. */
export interface PreparedPackages {
  /** What was resolved. */
  readonly libraries: InstalledLibrary[];
  /** Names of those that hold native code. */
  readonly native: readonly string[];
  /** Their files and what they hash to. */
  readonly site: { readonly path: string; readonly sha256: string };
}

/** Gets packages and what they need into the cache, for a session that opens with them. */
export async function preparePackages(
  names: readonly string[],
  context: Pick<InstallContext, "cacheDir" | "signal" | "onProgress">,
): Promise<PreparedPackages> {
  const requirements = names.map(parseRequirement);
  throwIfAborted(context.signal, _action);
  try {
    const found = await _fetch(requirements, linuxTarget, context);
    return await _prepared(found);
  } catch (error) {
    throw hostError(error, _action);
  }
}

interface Fetched {
  readonly wheels: readonly Wheel[];
  /** The same, as the user is told of them. */
  readonly libraries: InstalledLibrary[];
  /** Unpacks them into the cache. */
  tree(): Promise<PackageTree>;
}

async function _prepared(
  { wheels, libraries, tree }: Fetched,
): Promise<PreparedPackages> {
  const native = wheels.filter(({ pure }) => !pure);
  return {
    libraries,
    native: native.map(({ name }) => normalName(name)),
    site: await (await tree()).listed(),
  };
}

async function _fetch(
  requirements: readonly Requirement[],
  target: PythonTarget,
  context: Pick<InstallContext, "cacheDir" | "signal" | "onProgress">,
): Promise<Fetched> {
  const { signal, onProgress } = context;
  const store = new PackageStore(context.cacheDir);
  const texts = requirements.map(({ text }) => text);
  const lock = target.key === "" ? texts : [...texts, target.key];
  const wheels = await store.lockOf(lock) ??
    await Pip.with(signal, async (pip) => {
      const text = `resolving ${texts.join(", ")}`;
      onProgress({ stage: "resolve", done: 0, total: 0, text });
      const found = await _resolve(pip, requirements, target);
      await store.keepLock(lock, found);
      return found;
    });
  return _fetched(wheels, target, store, context);
}

function _fetched(
  wheels: readonly Wheel[],
  target: PythonTarget,
  store: PackageStore,
  { signal, onProgress }: Pick<InstallContext, "signal" | "onProgress">,
): Fetched {
  const libraries = wheels.map(
    ({ name, version, sha256, pure }): InstalledLibrary => ({
      name: normalName(name),
      version,
      sha256,
      ...!pure && { native: true },
    }),
  );
  const tree = () =>
    store.tree(wheels, (into) => {
      const text = `downloading ${
        libraries.map(({ name }) => name).join(", ")
      }`;
      const total = wheels.length;
      onProgress({ stage: "download", done: 0, total, text });
      return Pip.with(signal, (pip) => pip.unpack(wheels, into, target));
    });
  return { wheels, libraries, tree };
}

async function _install(
  requirements: readonly Requirement[],
  context: InstallContext,
): Promise<InstalledLibrary[]> {
  const { target } = context;
  const found = await _fetch(requirements, target, context);
  const { wheels, libraries, tree: fetchTree } = found;
  if (target.pure && wheels.some(({ pure }) => !pure)) {
    return await _goOver(wheels, context);
  }
  const there = new Set(context.installed.map(({ sha256 }) => sha256));
  if (wheels.every(({ sha256 }) => there.has(sha256))) return libraries;
  for (let attempt = 0;; attempt++) {
    const tree = await fetchTree();
    try {
      await _copy(tree, context);
      return libraries;
    } catch (error) {
      if (!(error instanceof Damaged)) throw error;
      if (attempt === _mostAttempts) {
        throw _damaged(requirements.map(({ text }) => text), error);
      }
      await tree.remove();
    }
  }
}

/** Takes what is there and what is new to a guest that runs native code. */
async function _goOver(
  wheels: readonly Wheel[],
  { goOver, installed, ...context }: InstallContext,
): Promise<InstalledLibrary[]> {
  const names = wheels.map(({ name }) => normalName(name));
  if (!goOver) throw _cannotRun(names.filter((_, at) => !wheels[at]!.pure));
  const kept = installed.filter(({ name }) => !names.includes(name))
    .map(({ name, version, sha256, native }) => ({
      name,
      version,
      sha256: sha256!, // every wheel has one
      pure: !native,
    }));
  const store = new PackageStore(context.cacheDir);
  const all = [...kept, ...wheels];
  await goOver(await _prepared(_fetched(all, linuxTarget, store, context)));
  return _fetched(wheels, linuxTarget, store, context).libraries;
}

function _damaged(names: readonly string[], error: Damaged): SandboxError {
  return failed(
    names,
    `${error.message} in the cache is not what was unpacked, time and again`,
    "See that nothing else writes to the cache directory",
  );
}

/** Wheels for this Python; of pure ones where there are none, those with native code. */
async function _resolve(
  pip: Pip,
  requirements: readonly Requirement[],
  target: PythonTarget,
): Promise<Wheel[]> {
  const texts = requirements.map(({ text }) => text);
  const pure = await pip.resolve(texts, target);
  if (typeof pure !== "string") return _hashed(pure);
  const missing: string[] = [];
  for (const { name } of requirements) {
    if (!await pip.exists(name)) missing.push(name);
  }
  if (missing.length) {
    throw failed(
      missing,
      "the package index does not know it, or cannot be reached",
      "Check the spelling and the network",
      pure,
    );
  }
  const native = target.pure ? await pip.resolve(texts, linuxTarget) : pure;
  if (typeof native === "string") {
    throw failed(
      texts,
      `no wheels for Python ${target.version} fit together`,
      "Ask for other versions",
      pure,
    );
  }
  if (native.every((wheel) => wheel.pure)) throw _cannotRun(texts, pure);
  return _hashed(native);
}

function _cannotRun(names: readonly string[], said?: string): SandboxError {
  return failed(
    names,
    "there are only wheels with native code, which this guest cannot run",
    'Open the session with backend: "hyperlight" and guest: "linux", or choose another package',
    said,
  );
}

function _hashed(wheels: Wheel[]): Wheel[] {
  const unhashed = wheels.filter(({ sha256 }) =>
    !/^[0-9a-f]{64}$/.test(sha256)
  );
  if (unhashed.length === 0) return wheels;
  throw failed(
    unhashed.map(({ name }) => name),
    "the index gives no SHA-256 for it",
    "Use an index that does",
  );
}

async function _copy(
  tree: PackageTree,
  { files, signal, onProgress }: InstallContext,
): Promise<void> {
  const directories = new Set<string>();
  for (const { path } of tree.files) {
    const slash = path.lastIndexOf("/");
    if (slash > 0) directories.add(path.slice(0, slash));
  }
  for (const directory of directories) await files.mkdir(directory);
  const total = tree.files.length;
  await parallel(files, tree.files, async (file, done) => {
    throwIfAborted(signal, _action);
    if (done % 32 === 0) {
      onProgress({ stage: "unpack", done, total, text: "unpacking packages" });
    }
    const bytes = await tree.read(file);
    for (let at = 0; at === 0 || at < bytes.length; at += chunkBytes) {
      const part = bytes.subarray(at, at + chunkBytes);
      await files.write(file.path, part, { offset: at === 0 ? null : at });
    }
  });
  onProgress({
    stage: "unpack",
    done: total,
    total,
    text: "unpacked packages",
  });
}
