import { createHash } from "node:crypto";
import { cp, mkdir, readFile, realpath, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { SandboxError } from "../errors.ts";
import { throwIfAborted } from "../host_error.ts";
import type { Progress } from "../result.ts";
import { type BuiltGuest, BuiltGuests } from "./built.ts";
import {
  type CargoHyperlight,
  findCargoHyperlight,
  installCargoHyperlight,
} from "./cargo_hyperlight.ts";
import { compileGuest, type GuestTarget } from "./compile.ts";
import { type GuestCrate, readCrate } from "./crate.ts";
import { invalidElf, readElf } from "./elf.ts";
import { Flights } from "../flights.ts";
import { withLock } from "./lock.ts";
import { findToolchain, type Toolchain } from "./toolchain.ts";

/** Options of {@linkcode buildGuest}. */
export interface BuildOptions {
  /** Where guests are kept, absolute. */
  readonly cacheDir: string;
  /** The environment that tools are looked for in. */
  readonly env: Readonly<Record<string, string>>;
  /** What to build for. @default "x86_64-hyperlight-none" */
  readonly target?: GuestTarget | undefined;
  /** How long a build may take, in ms. @default 600_000; 1_000 to 7_200_000 */
  readonly timeoutMs?: number | undefined;
  /** Keeps the build folder, with which the next build of the same crate is short. @default false */
  readonly keepTemplate?: boolean | undefined;
  /** Cancels the wait, and the build when nobody else waits for it. */
  readonly signal?: AbortSignal | undefined;
  /** Is told how far the build is. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** A guest, and how it was come by. */
export interface Built {
  /** The guest. */
  readonly guest: BuiltGuest;
  /** False when the cache had it. */
  readonly fresh: boolean;
  /** The build folder, where it was kept. */
  readonly folder: string | undefined;
}

/** How long a build may take, in ms, when nothing else is said. */
export const buildTimeoutMs = 600_000;

const _format = 1;
const _flights = new Flights<Built>();

interface Plan {
  readonly crate: GuestCrate;
  readonly toolchain: Toolchain;
  readonly tool: CargoHyperlight | undefined;
  readonly target: GuestTarget;
  readonly key: string;
  readonly folder: string;
  /** The crate is Mote's own and is copied before it is built. */
  readonly copied: boolean;
}

/** Builds the guest of a crate, or takes it out of the cache; `template` is where Mote's own one is. */
export async function buildGuest(
  dir: string,
  options: BuildOptions,
  template?: string,
): Promise<Built> {
  const { signal, onProgress, cacheDir } = options;
  throwIfAborted(signal, "build a guest");
  const plan = await _plan(dir, options, template);
  const guests = new BuiltGuests(cacheDir);
  const kept = options.keepTemplate === true;
  const found = await guests.find(plan.key);
  const folder = await _exists(plan.folder) ? plan.folder : undefined;
  if (found && (!kept || folder)) {
    return { guest: found, fresh: false, folder: kept ? folder : undefined };
  }
  return await _flights.join(
    `${guests.dir}/${plan.key}`,
    { signal, onProgress, kept, action: `build guest ${plan.crate.name}` },
    (flight) =>
      _build(
        plan,
        guests,
        options,
        flight.signal,
        flight.report,
        () => flight.kept,
      ),
  );
}

async function _plan(
  dir: string,
  { cacheDir, env, target = "x86_64-hyperlight-none", signal }: BuildOptions,
  template: string | undefined,
): Promise<Plan> {
  const at = await realpath(dir);
  const around = { env, cwd: at, signal };
  const toolchain = await findToolchain(around);
  const crate = await readCrate(at, toolchain, around);
  const tool = target === "x86_64-hyperlight-none"
    ? await findCargoHyperlight(cacheDir, around)
    : undefined;
  const versions = _versions(toolchain, tool);
  const parts = [_format, crate.sha256, crate.bin, target, versions];
  const key = _hash([...parts, env.RUSTFLAGS ?? ""]).slice(0, 32);
  const copied = template !== undefined && await realpath(template) === at;
  const place = `${crate.name}-${
    _hash([copied ? "template" : at, target]).slice(0, 12)
  }`;
  const folder = join(cacheDir, "elf", "build", place);
  return { crate, toolchain, tool, target, key, folder, copied };
}

function _versions(
  { cargo, rustc, clang, lld }: Toolchain,
  tool: CargoHyperlight | undefined,
): string[] {
  const names = [cargo, rustc, clang, lld].map(({ version }) => version);
  return tool ? [...names, `cargo-hyperlight ${tool.version}`] : names;
}

async function _build(
  plan: Plan,
  guests: BuiltGuests,
  options: BuildOptions,
  signal: AbortSignal,
  onProgress: (progress: Progress) => void,
  kept: () => boolean,
): Promise<Built> {
  const { crate, key, folder } = plan;
  const action = `build guest ${crate.name}`;
  const waiting = () =>
    onProgress({
      stage: "compile",
      done: 0,
      total: 0,
      text: `waiting for another build of guest ${crate.name}`,
    });
  const lock = { signal, action, onWait: waiting };
  return await withLock(`${folder}.lock`, lock, async () => {
    const known = await guests.find(key);
    if (known && !kept()) {
      return { guest: known, fresh: false, folder: undefined };
    }
    try {
      const guest = await _inTime(
        options.timeoutMs ?? buildTimeoutMs,
        signal,
        action,
        (ended) => _make(plan, guests, options, ended, onProgress),
      );
      return { guest, fresh: true, folder: kept() ? folder : undefined };
    } finally {
      if (!kept()) await rm(folder, { recursive: true, force: true });
    }
  });
}

async function _make(
  plan: Plan,
  guests: BuiltGuests,
  { env, cacheDir }: BuildOptions,
  signal: AbortSignal,
  onProgress: (progress: Progress) => void,
): Promise<BuiltGuest> {
  const { toolchain, tool, target, key, folder } = plan;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const crate = plan.copied ? await _copyTemplate(plan) : plan.crate;
  const around = { env, cwd: crate.dir, signal };
  const installing = (line: string) =>
    onProgress({
      stage: "compile",
      done: 0,
      total: 0,
      text: `installing cargo-hyperlight: ${line.trim()}`,
    });
  const cargoHyperlight = tool && (tool.path ??
    await installCargoHyperlight(cacheDir, toolchain, around, installing));
  const elf = await compileGuest(
    {
      crate,
      target,
      toolchain,
      cargoHyperlight,
      folder,
      env,
      signal,
      onProgress,
    },
  );
  const facts = readElf(await readFile(elf), crate.name);
  const after = plan.copied
    ? crate
    : await readCrate(crate.dir, toolchain, around);
  if (after.sha256 !== crate.sha256) {
    throw new SandboxError(
      "GUEST_BUILD_FAILED",
      `Cannot build guest ${crate.name}: its sources changed while it was built. Build again.`,
    );
  }
  return await guests.keep(key, elf, {
    ...facts,
    name: crate.name,
    target,
    builtMs: Date.now(),
    tools: _versions(toolchain, tool),
  });
}

async function _copyTemplate({ crate, folder }: Plan): Promise<GuestCrate> {
  const dir = join(folder, "source");
  await rm(dir, { recursive: true, force: true });
  await cp(crate.dir, dir, {
    recursive: true,
    filter: (path) => basename(path) !== "target",
  });
  return { ...crate, dir };
}

/** Gives work a signal that also aborts when its time is over, and tells the one end from the other. */
async function _inTime<T>(
  timeoutMs: number,
  signal: AbortSignal,
  action: string,
  work: (ended: AbortSignal) => Promise<T>,
): Promise<T> {
  const timer = new AbortController();
  const clock = setTimeout(() => timer.abort(), timeoutMs);
  try {
    return await work(AbortSignal.any([signal, timer.signal]));
  } catch (error) {
    throwIfAborted(signal, action);
    if (!timer.signal.aborted) throw error;
    throw new SandboxError(
      "GUEST_BUILD_FAILED",
      `Cannot ${action}: it took more than ${
        timeoutMs / 1000
      } s. Raise buildTimeoutMs (--timeout), or set keepTemplate, with which the next build goes on where this one ended.`,
    );
  } finally {
    clearTimeout(clock);
  }
}

/** The folder of a crate, or the error for what is none. */
export async function crateFolder(path: string): Promise<string> {
  if (await _exists(join(path, "Cargo.toml"))) return path;
  throw invalidElf(
    path,
    "the folder has no Cargo.toml",
    "Give the folder of a guest's crate, or an ELF file",
  );
}

function _hash(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}

async function _exists(path: string): Promise<boolean> {
  return await stat(path).then(() => true, () => false);
}
