import type {
  FileRoot,
  FileStore,
  RunOutcome,
  RunRequest,
  Wall,
} from "../backends/backend.ts";
import { SandboxError } from "../errors.ts";

/**
 * A wall as one user of a pool has it. Once given back it refuses everything, also through what the user still holds of
 * it, such as artifacts: the wall behind it may be another's by then.
 */
export class LentWall implements Wall {
  readonly #wall: Wall;
  readonly #giveBack: (busy: boolean) => void;
  readonly #active = new Set<Promise<unknown>>();
  #returned: Promise<void> | undefined;

  /** Lends a wall; `giveBack` learns whether a call was still under way. */
  constructor(wall: Wall, giveBack: (busy: boolean) => void) {
    this.#wall = wall;
    this.#giveBack = giveBack;
  }

  /** Hash of what runs behind it. */
  get imageSha256(): string | undefined {
    return this.#wall.imageSha256;
  }

  /** Runs a program. */
  run(request: RunRequest): Promise<RunOutcome> {
    return this.#lent(() => this.#wall.run(request));
  }

  /** The files behind the wall. */
  files(root: FileRoot): FileStore {
    const lent = <A extends unknown[], R>(
      call: (files: FileStore, ...args: A) => Promise<R>,
    ) =>
    (...args: A): Promise<R> =>
      this.#lent(() => call(this.#wall.files(root), ...args));
    const { parallel } = this.#wall.files(root);
    return {
      ...(parallel !== undefined && { parallel }),
      write: lent((files, ...args) => files.write(...args)),
      read: lent((files, ...args) => files.read(...args)),
      list: lent((files, ...args) => files.list(...args)),
      stat: lent((files, ...args) => files.stat(...args)),
      mkdir: lent((files, ...args) => files.mkdir(...args)),
      symlink: lent((files, ...args) => files.symlink(...args)),
      remove: lent((files, ...args) => files.remove(...args)),
    };
  }

  /** Gives it back; resolves when nothing of this user's goes on any more. */
  close(): Promise<void> {
    return this.#returned ??= this.#end();
  }

  async #end(): Promise<void> {
    const active = [...this.#active];
    this.#giveBack(active.length > 0);
    await Promise.allSettled(active);
  }

  #lent<T>(work: () => Promise<T>): Promise<T> {
    if (this.#returned) {
      return Promise.reject(
        new SandboxError(
          "SESSION_CLOSED",
          "Cannot use the session: it was given back to its pool. Acquire another.",
        ),
      );
    }
    const done = work();
    this.#active.add(done);
    const end = () => void this.#active.delete(done);
    done.then(end, end);
    return done;
  }
}
