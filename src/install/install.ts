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
  /** Whether some of them hold native code. */
  readonly native: boolean;
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
    const { wheels, libraries, tree } = await _fetch(
      requirements,
      linuxTarget,
      context,
    );
    const native = wheels.some(({ pure }) => !pure);
    return { libraries, native, site: await (await tree()).listed() };
  } catch (error) {
    throw hostError(error, _action);
  }
}

async function _fetch(
  requirements: readonly Requirement[],
  target: PythonTarget,
  context: Pick<InstallContext, "cacheDir" | "signal" | "onProgress">,
) {
  const { signal, onProgress } = context;
  const store = new PackageStore(context.cacheDir);
  const texts = requirements.map(({ text }) => text);
  const lock = target.key === "" ? texts : [...texts, target.key];
  const kept = await store.lockOf(lock);
  const fits = kept?.every(({ pure }) => pure || !target.pure);
  const wheels = kept && fits ? kept : await Pip.with(signal, async (pip) => {
    const text = `resolving ${texts.join(", ")}`;
    onProgress({ stage: "resolve", done: 0, total: 0, text });
    const found = await _resolve(pip, requirements, target);
    await store.keepLock(lock, found);
    return found;
  });
  const libraries = wheels.map(({ name, version, sha256 }) => ({
    name: normalName(name),
    version,
    sha256,
  }));
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
  const { wheels, libraries, tree: fetchTree } = await _fetch(
    requirements,
    context.target,
    context,
  );
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

function _damaged(names: readonly string[], error: Damaged): SandboxError {
  return failed(
    names,
    `${error.message} in the cache is not what was unpacked, time and again`,
    "See that nothing else writes to the cache directory",
  );
}

async function _resolve(
  pip: Pip,
  requirements: readonly Requirement[],
  target: PythonTarget,
): Promise<Wheel[]> {
  const texts = requirements.map(({ text }) => text);
  const pure = await pip.resolve(texts, target);
  if (typeof pure !== "string") {
    const unhashed = pure.filter(({ sha256 }) =>
      !/^[0-9a-f]{64}$/.test(sha256)
    );
    if (unhashed.length === 0) return pure;
    throw failed(
      unhashed.map(({ name }) => name),
      "the index gives no SHA-256 for it",
      "Use an index that does",
    );
  }
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
  const culprits = native.filter((wheel) => !wheel.pure)
    .map(({ name }) => normalName(name));
  throw failed(
    culprits.length ? culprits : texts,
    "there are only wheels with native code, which this guest cannot run",
    'Open the session with backend: "hyperlight" and guest: "linux", or choose another package',
    pure,
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
