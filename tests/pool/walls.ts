/** Walls that do nothing but keep account, for tests of the pool itself. */
import assert from "node:assert/strict";
import type { FileStore, Wall } from "../../src/backends/backend.ts";
import { SandboxError } from "../../src/errors.ts";
import type { OpenForPool } from "../../src/pool/pool.ts";
import type { OpenedWall } from "../../src/opened.ts";
import type { Session } from "../../src/session.ts";

/** A wall, and what became of it. */
export interface FakeWall {
  readonly id: number;
  /** No longer answers. */
  dead: boolean;
  closed: boolean;
  /** Users since it was last as new. */
  users: number;
  /** Users altogether. */
  uses: number;
}

/** Opens walls on demand; each opening waits for `go`. */
export class Walls {
  readonly all: FakeWall[] = [];
  opening = 0;
  mostAtOnce = 0;
  /** Outcomes of the next openings; afterwards they succeed. */
  readonly faults: Error[] = [];
  readonly #resets: boolean;
  readonly #delay: () => Promise<void>;

  constructor(resets: boolean, delay: () => Promise<void> = async () => {}) {
    this.#resets = resets;
    this.#delay = delay;
  }

  /** Walls that are open or about to be. */
  get live(): number {
    return this.all.filter(({ closed }) => !closed).length + this.opening;
  }

  readonly open: OpenForPool = async (signal) => {
    this.opening++;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.live);
    try {
      await this.#delay();
      if (signal.aborted) throw signal.reason;
      const fault = this.faults.shift();
      if (fault) throw fault;
      return this.#opened();
    } finally {
      this.opening--;
    }
  };

  #opened(): OpenedWall {
    const fake: FakeWall = {
      id: this.all.length,
      dead: false,
      closed: false,
      users: 0,
      uses: 0,
    };
    this.all.push(fake);
    const files = {
      list: async () => {
        await this.#delay();
        if (fake.dead || fake.closed) throw new Error("gone");
        return [];
      },
    } as unknown as FileStore;
    const wall: Wall = {
      run: () => Promise.reject(new Error("never run")),
      files: () => files,
      close: async () => {
        await this.#delay();
        assert.ok(!fake.closed, "closed twice");
        fake.closed = true;
      },
    };
    return {
      wall,
      about: {} as OpenedWall["about"],
      session: (before = wall) => {
        assert.ok(!fake.closed && !fake.dead, "handed out what is gone");
        assert.equal(fake.users++, 0, "handed out what another has used");
        fake.uses++;
        return { fake, close: () => before.close() } as unknown as Session;
      },
      reset: !this.#resets ? undefined : async () => {
        await this.#delay();
        if (fake.dead) throw new Error("gone");
        fake.users = 0;
      },
    };
  }
}

/** The wall of a session that came from here. */
export function wallOf(session: Session): FakeWall {
  return (session as unknown as { fake: FakeWall }).fake;
}

/** An error as an engine gives it. */
export function fault(): SandboxError {
  return new SandboxError(
    "BACKEND_UNAVAILABLE",
    "Cannot open a session: the engine is gone. Start it.",
  );
}
