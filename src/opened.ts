import type { Backend, Wall } from "./backends/backend.ts";
import { cacheDir } from "./cache.ts";
import { type GroundPlan, Grounds, openGround } from "./ground.ts";
import { guardOf } from "./guard.ts";
import { loadHost } from "./host.ts";
import { aborted } from "./host_error.ts";
import type { Installed } from "./installing.ts";
import type { LanguageData } from "./languages/language.ts";
import { languages } from "./languages/languages.ts";
import { chosenBackend, LiveSession } from "./live_session.ts";
import { decideOpening } from "./opening.ts";
import { checkTogether, type ParsedOptions } from "./options.ts";
import { outsideOf } from "./outside.ts";
import { Reporter } from "./progress.ts";
import type { Session } from "./session.ts";
import { refuseUnsupported } from "./support.ts";

/** A wall that is open, and what its sessions have in common. */
export interface OpenedWall {
  /** The wall. */
  readonly wall: Wall;
  /** What the wall can do, and why it was chosen. */
  readonly about: Pick<Session, "backend" | "capabilities">;
  /** A session behind it, or behind something that stands before it. */
  session(before?: Wall): Session;
  /** Makes it as new for another user, with the libraries that it opened with; absent where that cannot be had. */
  readonly reset?: (() => Promise<void>) | undefined;
}

/** Refuses options that the backend cannot honour, or that contradict each other. */
export function checkOptions(backend: Backend, options: ParsedOptions): void {
  refuseUnsupported(backend, options);
  checkTogether(options);
}

/** Opens a session behind a backend that was chosen. */
export async function openSession(
  backend: Backend,
  reason: string,
  options: ParsedOptions,
  spoken?: LanguageData,
): Promise<Session> {
  return (await openWall(backend, reason, options, spoken)).session();
}

/** Opens a wall of a backend that was chosen, and installs the libraries that were asked for. */
export async function openWall(
  backend: Backend,
  reason: string,
  options: ParsedOptions,
  spoken: LanguageData = languages[options.lang]!,
): Promise<OpenedWall> {
  checkOptions(backend, options);
  const { lang, libraries, signal } = options;
  const host = await loadHost();
  const verbose = options.verbose === true || host.env("MOTE_LOG") === "info";
  const report = new Reporter(host, verbose, options.onProgress);
  if (signal?.aborted) throw aborted(signal, "open a session");
  const guard = await guardOf(options, spoken);
  // Before the guest is looked for: the library begins its work on a thread of its own.
  await backend.prepare?.();
  const cache = cacheDir(host);
  const opening = await decideOpening(
    backend,
    options,
    spoken,
    host,
    cache,
    report,
  );
  const plan: GroundPlan = {
    backend,
    reason,
    options,
    outside: await outsideOf(options, opening, host),
    policySha256: guard?.sha256,
    cacheDir: cache,
    committed: {},
    onProgress: report.progress,
  };
  const ground = await openGround(plan, opening, signal)
    .finally(() => report.clear());
  if (report.verbose) {
    report.line(`opened ${lang} in ${backend.name} (${ground.reason})`);
  }
  const { wall } = ground;
  const begins: Installed = {
    libraries: opening.packages?.libraries ?? [],
    asked: [],
  };
  let installed = begins;
  const session = (before = wall) => {
    const grounds = new Grounds({ ...ground, wall: before }, !opening.over);
    return new LiveSession(plan, opening, grounds, guard, report, installed);
  };
  const install = async () => {
    installed = begins;
    if (!libraries?.length || opening.packages) return;
    const first = session();
    await first.install(libraries, signal ? { signal } : {});
    installed = first.installed;
  };
  try {
    await install();
  } catch (error) {
    await wall.close();
    throw error;
  }
  return {
    wall,
    about: {
      backend: chosenBackend(backend, ground.reason),
      capabilities: ground.capabilities,
    },
    session,
    reset: wall.reset && (async () => {
      await wall.reset!();
      guard?.forget();
      await install();
    }),
  };
}
