import type {
  Backend,
  Capabilities,
  FileRoot,
  FileStore,
  OpenSpec,
  Wall,
} from "./backends/backend.ts";
import { SandboxError } from "./errors.ts";
import type { Opening } from "./opening.ts";
import type { ParsedOptions } from "./options.ts";
import type { Outside } from "./outside.ts";
import type { Progress } from "./result.ts";
import type { RunContext } from "./run.ts";
import { aborted } from "./host_error.ts";

/** What runs of a session stand on. */
export interface Ground {
  /** The wall. */
  readonly wall: Wall;
  /** What it can do. */
  readonly capabilities: Capabilities;
  /** Why this wall and this guest. */
  readonly reason: string;
  /** What the wall was opened with. */
  readonly spec: OpenSpec;
  /** What receipts of its runs say, but for what a single run did. */
  readonly receipt: RunContext["receipt"];
}

/** What all grounds of a session are made with. */
export interface GroundPlan {
  /** Who provides the walls. */
  readonly backend: Backend;
  /** Why this one. */
  readonly reason: string;
  /** The session's options. */
  readonly options: ParsedOptions;
  /** What they give of the outside; no guest has more of it than another. */
  readonly outside: Outside;
  /** Hash of the session's policy, if it has one. */
  readonly policySha256?: string | undefined;
  /** Where built things are kept, absolute. */
  readonly cacheDir: string;
  /** Is told how far long work has come. */
  readonly onProgress: (progress: Progress) => void;
  /** Holds the image that the container was kept as, once it was. */
  readonly committed: { image?: string };
}

/** Opens a wall. `filesOf`: the one whose files it takes over. */
export async function openGround(
  plan: GroundPlan,
  { image, guest, container, capabilities, because, ...opening }: Opening,
  signal: AbortSignal | undefined,
  filesOf?: Wall,
): Promise<Ground> {
  const { backend, reason, options, outside, cacheDir, policySha256 } = plan;
  const { lang, limits, interactive } = options;
  const spec: OpenSpec = {
    lang,
    image,
    guest,
    container,
    acceptEmulated: options.acceptEmulatedHypervisor === true,
    cacheDir,
    interactive: interactive === true,
    env: outside.env,
    tools: outside.calls,
    limits,
    filesOf,
    signal,
    onProgress: plan.onProgress,
    onCommitted: (image) => void (plan.committed.image = image),
  };
  let wall: Wall;
  try {
    wall = await backend.open(spec);
    if (outside.reach) wall = await outside.reach(wall);
  } catch (error) {
    throw signal?.aborted ? aborted(signal, "open a session") : error;
  }
  const imageSha256 = opening.imageSha256 ?? wall.imageSha256;
  return {
    wall,
    spec,
    capabilities,
    reason: because === undefined ? reason : `${reason}; ${because}`,
    receipt: {
      backend: backend.name,
      lang,
      limits,
      ...outside.rights && { rights: outside.rights },
      ...guest && { guest: guest.kind },
      ...imageSha256 !== undefined && { imageSha256 },
      ...policySha256 !== undefined && { policySha256 },
    },
  };
}

/** The ground of a session, which may be exchanged for another one while the session is open. */
export class Grounds {
  #now: Ground;
  /** Runs that stand on some ground. */
  #runs = 0;
  #used = false;
  /** Is called when the last of them has ended. */
  #idle: (() => void) | undefined;
  /** Settles when runs may begin again; never rejects. */
  #exchanging: Promise<void> | undefined;
  readonly #walls = new Set<Wall>();
  readonly #closing = new AbortController();
  readonly #lasting: boolean;

  /** Begins on one. `lasting`: it is never exchanged, so nobody counts who stands on it. */
  constructor(first: Ground, lasting = false) {
    this.#now = first;
    this.#lasting = lasting;
    this.#walls.add(first.wall);
  }

  /** What the next run stands on. */
  get now(): Ground {
    return this.#now;
  }

  /** Whether anything has run. */
  get used(): boolean {
    return this.#used;
  }

  /** Does a run; waits while the ground is exchanged. */
  run<T>(
    signal: AbortSignal | undefined,
    work: (ground: Ground) => Promise<T>,
  ): Promise<T> {
    if (this.#lasting) return work(this.#now);
    return this.#exchanging ? this.#later(signal, work) : this.#begin(work);
  }

  async #later<T>(
    signal: AbortSignal | undefined,
    work: (ground: Ground) => Promise<T>,
  ): Promise<T> {
    while (this.#exchanging) {
      await this.until(this.#exchanging, signal, "run code");
    }
    return await this.#begin(work);
  }

  /** Waits for something that goes on by itself, until the caller aborts or the session closes. */
  async until(
    done: Promise<unknown>,
    signal: AbortSignal | undefined,
    action: string,
  ): Promise<void> {
    const closing = this.#closing.signal;
    try {
      await _untilAborted(done, this.#orClosing(signal), action);
    } catch (error) {
      if (!closing.aborted) throw error;
    }
    if (closing.aborted) throw _closed(action);
  }

  #orClosing(signal: AbortSignal | undefined): AbortSignal {
    const closing = this.#closing.signal;
    return signal ? AbortSignal.any([signal, closing]) : closing;
  }

  async #begin<T>(work: (ground: Ground) => Promise<T>): Promise<T> {
    this.#runs++;
    this.#used = true;
    try {
      return await work(this.#now);
    } finally {
      if (--this.#runs === 0) this.#idle?.();
    }
  }

  /** The files behind whichever wall there is: an exchange takes them along. */
  files(root: FileRoot): FileStore {
    const files = () => this.#now.wall.files(root);
    return {
      write: (path, bytes, options) => files().write(path, bytes, options),
      read: (path, offset, length) => files().read(path, offset, length),
      list: (path, recursive) => files().list(path, recursive),
      stat: (path) => files().stat(path),
      mkdir: (path) => files().mkdir(path),
      symlink: (path, target) => files().symlink(path, target),
      remove: (path) => files().remove(path),
    };
  }

  /**
   * Goes over to another ground: further runs wait for it; those that are going end where they began. When it
   * cannot be opened, all is as before. `gone` is called once it is there. One exchange at a time.
   */
  async exchange(
    open: (from: Wall, signal: AbortSignal) => Promise<Ground>,
    gone: () => void,
    signal?: AbortSignal,
  ): Promise<void> {
    if (this.#closing.signal.aborted) throw _closed("install packages");
    let settled = () => {};
    this.#exchanging = new Promise((resolve) =>
      settled = () => {
        this.#exchanging = undefined;
        resolve();
      }
    );
    try {
      const old = this.#now;
      const stop = this.#orClosing(signal);
      const next = await open(old.wall, stop);
      this.#walls.add(next.wall);
      if (stop.aborted) {
        await this.#leave(next.wall);
        throw aborted(stop, "install packages");
      }
      this.#now = next;
      gone();
      // Not awaited: a run may itself wait for this call, through a tool.
      this.#whenIdle().then(() => this.#leave(old.wall)).then(settled, settled);
    } catch (error) {
      settled();
      if (this.#closing.signal.aborted) throw _closed("install packages");
      if (signal?.aborted) throw aborted(signal, "install packages");
      throw error;
    }
  }

  /** Ends what runs, waits for it and frees everything. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#walls].map((wall) => wall.close()));
    await this.#exchanging;
  }

  #whenIdle(): Promise<void> {
    return this.#runs === 0
      ? Promise.resolve()
      : new Promise((resolve) => this.#idle = resolve);
  }

  async #leave(wall: Wall): Promise<void> {
    this.#idle = undefined;
    await wall.close();
    this.#walls.delete(wall);
  }
}

async function _untilAborted(
  done: Promise<unknown>,
  signal: AbortSignal,
  action: string,
): Promise<void> {
  if (signal.aborted) throw aborted(signal, action);
  let leave: (() => void) | undefined;
  const left = new Promise<never>((_, reject) => {
    leave = () => reject(aborted(signal, action));
    signal.addEventListener("abort", leave);
  });
  try {
    await Promise.race([done, left]);
  } finally {
    signal.removeEventListener("abort", leave!);
  }
}

function _closed(action: string): SandboxError {
  return new SandboxError(
    "SESSION_CLOSED",
    `Cannot ${action}: the session is closed. Open another.`,
  );
}
