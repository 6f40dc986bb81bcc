// Timers of Node, in Deno too: they say how to let the process end.
import { clearTimeout, setTimeout } from "node:timers";
import { SandboxError } from "../errors.ts";
import type { OpenedWall, Session } from "../session.ts";
import { LentWall } from "./lent_wall.ts";
import type { ParsedPoolLimits } from "./options.ts";
import { aborted, Waiter } from "./waiter.ts";
import { type PoolStats, Tally } from "./stats.ts";

/** A wall that answered less than this many ms ago is taken to be there still. */
const _freshMs = 500;
/** How long a wall may take to answer that it is there, in ms. */
const _checkMs = 5_000;
const _firstRetryMs = 1_000;
const _mostRetryMs = 60_000;
const _leastTickMs = 50;
const _mostTickMs = 30_000;

interface Member {
  readonly opened: OpenedWall;
  readonly bornMs: number;
  /** Opened beyond `max`, and closed after its one user. */
  readonly temporary: boolean;
  state: "ready" | "checking" | "busy" | "cleaning";
  /** What its user has of it. */
  lent?: Session | undefined;
  /** For whom it is being checked. */
  waiter?: Waiter | undefined;
  users: number;
  readyMs: number;
  seenMs: number;
}

interface Opening {
  readonly control: AbortController;
  readonly temporary: boolean;
  done: Promise<unknown>;
}

/** Opens a wall for a pool. */
export type OpenForPool = (signal: AbortSignal) => Promise<OpenedWall>;

/** Sessions that are opened before somebody needs them. */
export class SessionPool {
  readonly #open: OpenForPool;
  readonly #limits: ParsedPoolLimits;
  readonly #members = new Set<Member>();
  readonly #openings = new Set<Opening>();
  /** Walls being closed; they count until they are gone. */
  readonly #endings = new Map<Promise<void>, Member>();
  readonly #waiters: Waiter[] = [];
  readonly #tally = new Tally();
  #turns = 0;
  #retryMs = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #refill: ReturnType<typeof setTimeout> | undefined;
  #tick: ReturnType<typeof setTimeout> | undefined;
  #closed: Promise<void> | undefined;

  /** An empty pool. */
  constructor(open: OpenForPool, limits: ParsedPoolLimits) {
    this.#open = open;
    this.#limits = limits;
  }

  /** Opens what is to be ready: one first, so that what all need is pulled, built or compiled once. Fails as that does. */
  async fill(signal: AbortSignal | undefined): Promise<void> {
    const stop = () => void this.close();
    signal?.addEventListener("abort", stop);
    try {
      if (signal?.aborted) throw aborted(signal, "open a pool");
      const { min } = this.#limits;
      if (min > 0) await this.#add();
      await Promise.all(Array.from({ length: min - 1 }, () => this.#add()));
      if (this.#closed) throw _closed("open a pool");
      this.#schedule();
    } catch (error) {
      await this.close();
      throw signal?.aborted ? aborted(signal, "open a pool") : error;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  /** Waits for a session. */
  async acquire(signal: AbortSignal | undefined): Promise<Session> {
    if (this.#closed) throw _closed();
    if (signal?.aborted) throw aborted(signal);
    const { max, onExhausted, acquireTimeoutMs } = this.#limits;
    const full = this.#users() >= max;
    if (full && onExhausted === "fail") throw _exhausted(max);
    const left = () => this.#left();
    const waiter = new Waiter(this.#turns++, acquireTimeoutMs, signal, left);
    if (full && onExhausted === "temporary") this.#addFor(waiter);
    else {
      this.#waiters.push(waiter);
      this.#pump();
    }
    return await waiter.session;
  }

  /** What goes on. */
  stats(): PoolStats {
    const { acquired, opened, reused, closed, failures } = this.#tally;
    return {
      ready: this.#count(({ state }) =>
        state === "ready" || state === "checking"
      ),
      busy: this.#count(({ state }) => state === "busy"),
      opening: this.#openings.size,
      cleaning: this.#count(({ state }) => state === "cleaning") +
        this.#endings.size,
      waiting: this.#waiters.length,
      acquired,
      opened,
      reused,
      closed,
      failures,
      waitMs: this.#tally.waits(),
    };
  }

  /** Ends everything, also what is in use; resolves when it is gone. */
  close(): Promise<void> {
    return this.#closed ??= this.#end();
  }

  async #end(): Promise<void> {
    // From here on #closed is set: nothing is handed out or opened any more.
    await Promise.resolve();
    clearTimeout(this.#tick);
    clearTimeout(this.#retry);
    clearTimeout(this.#refill);
    for (const waiter of this.#waiters.splice(0)) waiter.fail(_closed());
    for (const { control } of this.#openings) control.abort();
    for (const member of [...this.#members]) this.#discard(member);
    while (this.#openings.size || this.#endings.size) {
      const openings = [...this.#openings].map(({ done }) => done);
      await Promise.allSettled([...openings, ...this.#endings.keys()]);
    }
  }

  #count(which: (member: Member) => boolean): number {
    let count = 0;
    for (const member of this.#members) if (which(member)) count++;
    return count;
  }

  /** Users that are served or wait within `max`. */
  #users(): number {
    const served = this.#count(({ state, temporary, waiter }) =>
      !temporary && (state === "busy" || waiter !== undefined)
    );
    return served + this.#waiters.length;
  }

  /** Walls that may be opened until there are `max`. */
  #room(): number {
    const held = [
      ...this.#members,
      ...this.#endings.values(),
      ...this.#openings,
    ];
    return this.#limits.max - held.filter((one) => !one.temporary).length;
  }

  /** Serves who waits, oldest first, and opens what is missing. */
  #pump(): void {
    if (this.#closed) return;
    for (let member; this.#waiters.length && (member = this.#newestReady());) {
      this.#lend(member, this.#waiters.shift()!);
    }
    const opening = [...this.#openings].filter((one) => !one.temporary).length;
    const coming = opening +
      this.#count(({ state, waiter }) =>
        state === "cleaning" || state === "checking" && !waiter
      );
    const ready = this.#count(({ state }) => state === "ready");
    const missing = this.#waiters.length - coming;
    this.#addMany(missing);
    // Before the first tick fill() opens what is to be ready.
    const refills = this.#tick !== undefined && this.#retry === undefined;
    const spare = this.#limits.min - ready + Math.min(0, missing);
    if (spare <= 0 || !refills || this.#refill) return;
    // Later, so that whoever was just served begins first.
    this.#refill = setTimeout(() => {
      this.#refill = undefined;
      if (!this.#closed) this.#addMany(this.#spare());
    });
    this.#refill.unref();
  }

  /** How many are not ready, and not about to be, of those that should. */
  #spare(): number {
    const there = this.#count(({ state, waiter }) =>
      state !== "busy" && !waiter
    );
    const opening = [...this.#openings].filter((one) => !one.temporary).length;
    return this.#limits.min + this.#waiters.length - there - opening;
  }

  #addMany(wanted: number): void {
    for (let n = Math.min(wanted, this.#room()); n > 0; n--) {
      this.#add().catch((error) => this.#openFailed(error));
    }
  }

  /** The one that became ready last, so that those nobody needs grow old. */
  #newestReady(): Member | undefined {
    let newest: Member | undefined;
    for (const member of this.#members) {
      if (member.state !== "ready") continue;
      if (!newest || member.readyMs >= newest.readyMs) newest = member;
    }
    return newest;
  }

  async #add(): Promise<void> {
    const member = await this.#opening(false);
    if (member) this.#ready(member);
  }

  async #addFor(waiter: Waiter): Promise<void> {
    try {
      const member = await this.#opening(true);
      if (member) this.#hand(member, waiter);
      else waiter.fail(_closed());
    } catch (error) {
      this.#tally.failures++;
      waiter.fail(this.#closed ? _closed() : error);
    }
  }

  /** Opens a wall; undefined when the pool was closed meanwhile, and with it the wall. */
  #opening(temporary: boolean): Promise<Member | undefined> {
    const control = new AbortController();
    const opening: Opening = { control, temporary, done: Promise.resolve() };
    this.#openings.add(opening);
    const work = async () => {
      try {
        const opened = await this.#open(control.signal);
        return this.#opened(opened, temporary);
      } finally {
        this.#openings.delete(opening);
      }
    };
    const done = work();
    opening.done = done;
    return done;
  }

  #opened(opened: OpenedWall, temporary: boolean): Member | undefined {
    this.#tally.opened++;
    this.#retryMs = 0;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    const now = performance.now();
    const member: Member = {
      opened,
      bornMs: now,
      temporary,
      state: "cleaning",
      users: 0,
      readyMs: now,
      seenMs: now,
    };
    this.#members.add(member);
    if (!this.#closed) return member;
    this.#discard(member);
  }

  /** Who waits longest learns why; without anybody waiting it is tried again, ever less often. */
  #openFailed(error: unknown): void {
    if (this.#closed) return;
    this.#tally.failures++;
    const waiter = this.#waiters.shift();
    if (waiter) waiter.fail(error);
    else {
      this.#retryMs = Math.min(
        _mostRetryMs,
        this.#retryMs * 2 || _firstRetryMs,
      );
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => {
        this.#retry = undefined;
        this.#pump();
      }, this.#retryMs);
      this.#retry.unref();
    }
    this.#pump();
  }

  #ready(member: Member): void {
    if (!this.#members.has(member)) return;
    member.state = "ready";
    member.readyMs = member.seenMs = performance.now();
    this.#pump();
  }

  /** Hands a wall that is still there to who waits; whoever gets none waits on, before all who came later. */
  async #lend(member: Member, waiter: Waiter): Promise<void> {
    if (performance.now() - member.seenMs <= _freshMs) {
      return this.#hand(member, waiter);
    }
    member.waiter = waiter;
    const there = await this.#check(member);
    member.waiter = undefined;
    if (this.#closed) waiter.fail(_closed());
    else if (there) this.#hand(member, waiter);
    else {
      if (waiter.waits) {
        const at = this.#waiters.findIndex(({ turn }) => turn > waiter.turn);
        this.#waiters.splice(at < 0 ? this.#waiters.length : at, 0, waiter);
      }
      this.#pump();
    }
  }

  #hand(member: Member, waiter: Waiter): void {
    if (!waiter.waits) {
      return member.temporary ? this.#discard(member) : this.#ready(member);
    }
    member.state = "busy";
    member.users++;
    const { wall, session } = member.opened;
    const lent = new LentWall(wall, (busy) => this.#returned(member, busy));
    this.#tally.handedOut(waiter.ms);
    member.lent = session(lent);
    waiter.serve(member.lent);
  }

  #returned(member: Member, busy: boolean): void {
    if (!this.#members.has(member)) return;
    member.lent = undefined;
    const { maxUses, maxLifetimeMs } = this.#limits;
    const { temporary, users, bornMs, opened } = member;
    const old = performance.now() - bornMs > maxLifetimeMs;
    const spent = temporary || busy || old || users >= maxUses;
    if (spent || !opened.reset) return this.#discard(member);
    member.state = "cleaning";
    opened.reset().then(() => {
      this.#tally.reused++;
      this.#ready(member);
    }, () => this.#lost(member));
  }

  /** Asks a wall whether it is still there; one that is not is closed. */
  async #check(member: Member): Promise<boolean> {
    member.state = "checking";
    const there = await _answers(member.opened);
    if (!this.#members.has(member)) return false;
    if (!there) {
      this.#lost(member);
      return false;
    }
    member.state = "ready";
    member.seenMs = performance.now();
    return true;
  }

  #lost(member: Member): void {
    if (!this.#members.has(member)) return;
    this.#tally.failures++;
    this.#discard(member);
  }

  #discard(member: Member): void {
    this.#members.delete(member);
    const work = async () => {
      // Ends what its user has under way beside the wall, too.
      const left = member.lent?.close();
      try {
        await member.opened.wall.close();
        await left;
      } catch {
        this.#tally.failures++;
      }
    };
    const ending: Promise<void> = work().then(() => {
      this.#endings.delete(ending);
      this.#tally.closed++;
      this.#pump();
    });
    this.#endings.set(ending, member);
  }

  /** Forgets who gave up. */
  #left(): void {
    const at = this.#waiters.findIndex(({ waits }) => !waits);
    if (at >= 0) this.#waiters.splice(at, 1);
  }

  #schedule(): void {
    const { idleTimeoutMs, healthCheckMs, maxLifetimeMs } = this.#limits;
    const shortest = Math.min(idleTimeoutMs, healthCheckMs, maxLifetimeMs);
    const tickMs = Math.min(_mostTickMs, Math.max(_leastTickMs, shortest / 2));
    this.#tick = setTimeout(() => {
      this.#keep();
      this.#schedule();
    }, tickMs);
    this.#tick.unref();
  }

  /** Closes what is old or too much, and asks the others whether they are there. */
  #keep(): void {
    const now = performance.now();
    const { min, idleTimeoutMs, healthCheckMs, maxLifetimeMs } = this.#limits;
    const ready = [...this.#members].filter(({ state }) => state === "ready")
      .sort((a, b) => a.readyMs - b.readyMs);
    let surplus = ready.length - min;
    for (const member of ready) {
      const idle = now - member.readyMs > idleTimeoutMs && surplus > 0;
      if (idle || now - member.bornMs > maxLifetimeMs) {
        surplus--;
        this.#discard(member);
      } else if (now - member.seenMs > healthCheckMs) {
        this.#check(member).then(() => this.#pump());
      }
    }
    this.#pump();
  }
}

/** Whether the other side of a wall answers in time. */
async function _answers({ wall }: OpenedWall): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((done) => {
    timer = setTimeout(() => done(false), _checkMs);
    timer.unref();
  });
  const answer = async () => {
    try {
      await wall.files("sandbox").list(".", false);
      return true;
    } catch {
      return false;
    }
  };
  try {
    return await Promise.race([answer(), late]);
  } finally {
    clearTimeout(timer);
  }
}

function _closed(action = "acquire a session"): SandboxError {
  return new SandboxError(
    "SESSION_CLOSED",
    `Cannot ${action}: the pool is closed. Open another.`,
  );
}

function _exhausted(max: number): SandboxError {
  return new SandboxError(
    "BACKEND_UNAVAILABLE",
    `Cannot acquire a session: all ${max} of the pool are in use. Give one back, raise max, or use onExhausted "wait" or "temporary".`,
  );
}
