import {
  abortSignal,
  type Check,
  integer,
  invalid,
  nearest,
  object,
  oneOf,
} from "../check.ts";
import {
  type BackendChoice,
  type ParsedOptions,
  parseSessionOptions,
  sessionOptionNames,
  type SessionOptions,
} from "../options.ts";

/** How a pool keeps its sessions. */
export interface PoolLimits {
  /** Sessions that are kept ready for the next users, and filled up again in the background. @default 1; 0 to 1_000, `max` at most */
  min?: number;
  /** Sessions at a time: ready, in use, being opened and being closed. @default 10; 1 to 1_000 */
  max?: number;
  /** A ready session beyond `min` that nobody took for so long is closed, in ms. @default 300_000; 100 to 86_400_000 */
  idleTimeoutMs?: number;
  /**
   * Users that one wall serves at most. More than 1 needs a wall that can be made as new between them: `wasm` and
   * `hyperlight`; a container serves one user always. @default 1; 1 to 1_000_000
   */
  maxUses?: number;
  /**
   * What `acquire` does when `max` sessions are in use: wait for one to be given back, fail with BACKEND_UNAVAILABLE, or
   * open one beyond `max` that is closed when it is given back. @default "wait"
   */
  onExhausted?: "wait" | "fail" | "temporary";
  /** How long `acquire` waits, in ms, opening included; then it fails with TIMED_OUT. @default 30_000; 1 to 3_600_000 */
  acquireTimeoutMs?: number;
  /** Age at which a ready session is replaced, in ms. @default 3_600_000; 100 to 86_400_000 */
  maxLifetimeMs?: number;
  /** How often a ready session is asked whether it is still there, in ms. @default 60_000; 100 to 3_600_000 */
  healthCheckMs?: number;
}

/** Options of `createPool`: those of its sessions, and how they are kept. `signal` cancels the creation of the pool. */
export type PoolOptions<B extends BackendChoice = "auto"> =
  & SessionOptions<B>
  & PoolLimits;

/** Options of `acquire`. */
export interface AcquireOptions {
  /** Gives up waiting, with code ABORTED. */
  signal?: AbortSignal;
}

const _longMs = integer(100, 86_400_000, "ms");

const _fields: {
  readonly [K in keyof PoolLimits]-?: Check<Exclude<PoolLimits[K], undefined>>;
} = {
  min: integer(0, 1_000, "sessions"),
  max: integer(1, 1_000, "sessions"),
  idleTimeoutMs: _longMs,
  maxUses: integer(1, 1_000_000, "users"),
  onExhausted: oneOf(["wait", "fail", "temporary"]),
  acquireTimeoutMs: integer(1, 3_600_000, "ms"),
  maxLifetimeMs: _longMs,
  healthCheckMs: integer(100, 3_600_000, "ms"),
};

const _names = Object.keys(_fields);
const _limits = object<PoolLimits>(_fields);
const _acquire = object<AcquireOptions>({ signal: abortSignal });

/** Every option of a pool, with the defaults filled in. */
export type ParsedPoolLimits = Readonly<Required<PoolLimits>>;

const _defaults: ParsedPoolLimits = Object.freeze<ParsedPoolLimits>({
  min: 1,
  max: 10,
  idleTimeoutMs: 300_000,
  maxUses: 1,
  onExhausted: "wait",
  acquireTimeoutMs: 30_000,
  maxLifetimeMs: 3_600_000,
  healthCheckMs: 60_000,
});

/** Checks the options of `createPool`. */
export function parsePoolOptions(
  value: unknown,
): { limits: ParsedPoolLimits; session: ParsedOptions } {
  const options = value ?? {};
  if (typeof options !== "object" || Array.isArray(options)) {
    throw invalid("options", "they are no object", "Give an object.");
  }
  const own: Record<string, unknown> = {};
  const rest: Record<string, unknown> = {};
  const known = [..._names, ...sessionOptionNames];
  for (const [key, one] of Object.entries(options)) {
    (_names.includes(key) ? own : rest)[key] = one;
    if (known.includes(key)) continue;
    const cure = `The nearest one is ${nearest(key, known)}.`;
    throw invalid(JSON.stringify(key), "there is no such option", cure);
  }
  const given = _limits(own, "");
  const limits: ParsedPoolLimits = { ..._defaults, ...given };
  if (limits.min > limits.max) {
    const state = `it is ${limits.min} and max is ${limits.max}`;
    throw invalid("min", state, "Give a min of max at most.");
  }
  return { limits, session: parseSessionOptions(rest) };
}

/** Checks the options of `acquire`. */
export function parseAcquireOptions(value: unknown): AcquireOptions {
  return _acquire(value ?? {}, "");
}
