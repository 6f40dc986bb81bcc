import { throwIfAborted } from "./host_error.ts";
import type { Progress } from "./result.ts";

/** One who waits for shared work. */
export interface Waiter {
  /** Stops waiting; the work ends when nobody waits any longer. */
  readonly signal?: AbortSignal | undefined;
  /** Is told how far the work is. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** What lies around afterwards is wanted. */
  readonly kept: boolean;
  /** What is waited for, for the error when it is aborted. */
  readonly action: string;
}

/** What shared work is given. */
export interface Flight {
  /** Aborts when nobody waits any longer. */
  readonly signal: AbortSignal;
  /** Tells all who wait. */
  readonly report: (progress: Progress) => void;
  /** Whether somebody wants what lies around afterwards. */
  readonly kept: boolean;
}

type Listener = (progress: Progress) => void;

class _Flight<T> implements Flight {
  readonly listeners = new Set<Listener>();
  readonly #end = new AbortController();
  kept = false;
  result: Promise<T> | undefined;

  get signal(): AbortSignal {
    return this.#end.signal;
  }

  readonly report = (progress: Progress): void => {
    for (const listener of this.listeners) listener(progress);
  };

  leave(listener: Listener): void {
    this.listeners.delete(listener);
    if (this.listeners.size === 0) this.#end.abort();
  }
}

/** Work that all who ask for it at the same time share. */
export class Flights<T> {
  readonly #going = new Map<string, _Flight<T>>();

  /** Begins work, or joins it where it goes on already. */
  async join(
    key: string,
    { signal, onProgress, kept, action }: Waiter,
    work: (flight: Flight) => Promise<T>,
  ): Promise<T> {
    let leave!: (error: unknown) => void;
    const left = new Promise<never>((_, reject) => leave = reject);
    left.catch(() => {});
    const listener = (progress: Progress) => {
      try {
        onProgress?.(progress);
      } catch (error) {
        leave(error);
      }
    };
    const abort = () => {
      try {
        throwIfAborted(signal, action);
      } catch (error) {
        leave(error);
      }
    };
    const flight = this.#flight(key, listener, work);
    flight.kept ||= kept;
    signal?.addEventListener("abort", abort);
    abort();
    try {
      return await Promise.race([flight.result!, left]);
    } catch (error) {
      flight.leave(listener);
      // Nothing of it is left once the last one who waited is told.
      if (flight.signal.aborted) await flight.result!.catch(() => {});
      throw error;
    } finally {
      signal?.removeEventListener("abort", abort);
      flight.leave(listener);
    }
  }

  #flight(
    key: string,
    listener: Listener,
    work: (flight: Flight) => Promise<T>,
  ): _Flight<T> {
    const going = this.#going.get(key);
    // Work that everybody left is ending; what comes now begins anew.
    if (going && !going.signal.aborted) {
      going.listeners.add(listener);
      return going;
    }
    const flight = new _Flight<T>();
    flight.listeners.add(listener);
    this.#going.set(key, flight);
    flight.result = work(flight).finally(() => {
      if (this.#going.get(key) === flight) this.#going.delete(key);
    });
    flight.result.catch(() => {});
    return flight;
  }
}
