import { chooseBackend } from "../backends/choose.ts";
import type { Backend } from "../backends/backend.ts";
import { invalid } from "../check.ts";
import type { LanguageData } from "../languages/language.ts";
import type { BackendChoice, ParsedOptions, RunOptions } from "../options.ts";
import { parseRunOptions } from "../options.ts";
import type { Code } from "../program.ts";
import type { RunResult } from "../result.ts";
import { checkOptions, openWall } from "../opened.ts";
import type { ChosenBackend, Session } from "../session.ts";
import { unsupported } from "../support.ts";
import {
  type AcquireOptions,
  parseAcquireOptions,
  type ParsedPoolLimits,
  parsePoolOptions,
  type PoolOptions,
} from "./options.ts";
import type { SessionPool } from "./pool.ts";
import type { PoolStats } from "./stats.ts";

/** Sessions that are ready before somebody needs them. */
export interface Pool<B extends BackendChoice = BackendChoice>
  extends AsyncDisposable {
  /** Which wall its sessions have, and why. */
  readonly backend: ChosenBackend;
  /**
   * Hands out a session that nobody used before, or whose wall was made as new; who waits longest is served first.
   * Closing the session gives it back.
   */
  acquire(options?: AcquireOptions): Promise<Session<B>>;
  /** Runs code in a session of its own; read artifacts in a session that you acquired. */
  run(code: Code, options?: RunOptions): Promise<RunResult>;
  /** What goes on, and what went on. */
  stats(): PoolStats;
  /** Ends all its sessions, also those in use, and waits for it; may be called again. */
  close(): Promise<void>;
}

/**
 * Opens a pool: sessions with the same options that are ready before somebody needs them. No user ever meets files,
 * processes, packages or state of another.
 *
 * @example
 * ```ts
 * import { createPool } from "@mote/sandbox";
 *
 * const pool = await createPool({ lang: "javascript", min: 2, max: 20 });
 * const session = await pool.acquire();
 * try {
 *   console.log((await session.run("console.log(6 * 7)")).stdout); // 42
 * } finally {
 *   await session.close(); // gives it back
 * }
 * await pool.close();
 * ```
 */
export async function createPool<B extends BackendChoice = "auto">(
  options?: PoolOptions<B>,
): Promise<Pool<B>> {
  const { limits, session } = parsePoolOptions(options);
  const { backend, reason } = await chooseBackend(session.backend);
  return await openPool(backend, reason, limits, session) as Pool<B>;
}

const _ofOne = ["containerId", "commitContainer"] as const;

/** Opens a pool of walls of a backend that was chosen. */
export async function openPool(
  backend: Backend,
  reason: string,
  limits: ParsedPoolLimits,
  options: ParsedOptions,
  spoken?: LanguageData,
): Promise<Pool> {
  checkOptions(backend, options);
  for (const option of _ofOne) {
    if (!options[option]) continue;
    const state = "the sessions of a pool are many, and new for each user";
    throw invalid(option, state, "Use createSession, or leave it out.");
  }
  if (limits.maxUses > 1 && !backend.resets?.(options)) {
    const state =
      `a wall of ${backend.name} cannot be made as new for another user, so maxUses is 1`;
    throw unsupported(state, ["wasm", "hyperlight"], "open a pool");
  }
  const { SessionPool } = await import("./pool.ts");
  const { signal, ...lasting } = options;
  let opened: ChosenBackend | undefined;
  const pool = new SessionPool(async (signal) => {
    const wall = await openWall(
      backend,
      reason,
      { ...lasting, signal },
      spoken,
    );
    opened = wall.about.backend;
    return wall;
  }, limits);
  await pool.fill(signal);
  const { name } = backend;
  return new _Pool(
    pool,
    opened ?? { name, reason, toString: () => name },
  );
}

class _Pool implements Pool {
  readonly backend: ChosenBackend;
  readonly #pool: SessionPool;

  constructor(pool: SessionPool, backend: ChosenBackend) {
    this.#pool = pool;
    this.backend = backend;
  }

  async acquire(options?: AcquireOptions): Promise<Session> {
    return await this.#pool.acquire(parseAcquireOptions(options).signal);
  }

  async run(code: Code, options?: RunOptions): Promise<RunResult> {
    const parsed = parseRunOptions(options);
    const session = await this.#pool.acquire(parsed.signal);
    try {
      return await session.run(code, parsed);
    } finally {
      await session.close();
    }
  }

  stats(): PoolStats {
    return this.#pool.stats();
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
