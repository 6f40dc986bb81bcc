import { clearTimeout, setTimeout } from "node:timers";
import { SandboxError } from "../errors.ts";
import type { Session } from "../session.ts";

/** A call of `acquire` that waits; it is settled once. */
export class Waiter {
  /** What the caller gets. */
  readonly session: Promise<Session>;
  /** Its place among all there ever were. */
  readonly turn: number;
  readonly #settle: PromiseWithResolvers<Session>;
  readonly #began = performance.now();
  readonly #signal: AbortSignal | undefined;
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #left: () => void;
  #settled = false;

  /** Begins to wait; `left` is called when it gives up by itself. */
  constructor(
    turn: number,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    left: () => void,
  ) {
    this.turn = turn;
    this.#settle = _withResolvers<Session>();
    this.session = this.#settle.promise;
    this.#signal = signal;
    this.#left = left;
    this.#timer = setTimeout(() => this.#giveUp(_late(timeoutMs)), timeoutMs);
    signal?.addEventListener("abort", this.#abort);
  }

  /** Whether it still wants a session. */
  get waits(): boolean {
    return !this.#settled;
  }

  /** How long it has waited, in ms. */
  get ms(): number {
    return performance.now() - this.#began;
  }

  /** Hands it a session. */
  serve(session: Session): void {
    this.#end();
    this.#settle.resolve(session);
  }

  /** Tells it that there will be none. */
  fail(error: unknown): void {
    if (this.#settled) return;
    this.#end();
    this.#settle.reject(error);
  }

  readonly #abort = (): void => this.#giveUp(aborted(this.#signal!));

  #giveUp(error: SandboxError): void {
    this.fail(error);
    this.#left();
  }

  #end(): void {
    this.#settled = true;
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener("abort", this.#abort);
  }
}

/** The error for a caller who gave up. */
export function aborted(
  signal: AbortSignal,
  action = "acquire a session",
): SandboxError {
  return new SandboxError(
    "ABORTED",
    `Cannot ${action}: the caller aborted it. Call again to start anew.`,
    { cause: signal.reason },
  );
}

function _late(ms: number): SandboxError {
  return new SandboxError(
    "TIMED_OUT",
    `Cannot acquire a session: none was given back or opened within ${ms} ms. Give sessions back sooner, or raise max or acquireTimeoutMs.`,
  );
}

function _withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve!: PromiseWithResolvers<T>["resolve"];
  let reject!: PromiseWithResolvers<T>["reject"];
  const promise = new Promise<T>((...both) => [resolve, reject] = both);
  return { promise, resolve, reject };
}
