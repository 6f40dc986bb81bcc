import { SandboxError } from "../../errors.ts";
import type { FileEntry } from "../../result.ts";
import type {
  Connection,
  FileRoot,
  FileStore,
  RunFailure,
  RunOutcome,
  RunRequest,
  Wall,
  WriteOptions,
} from "../backend.ts";
import type { Box } from "./box.ts";
import { type AgentClient, AgentGone, type AgentLoss } from "./agent/client.ts";
import { AgentFiles, Root } from "./agent/files.ts";
import type { Tunnels } from "./agent/tunnels.ts";
import {
  AgentRun,
  type Living,
  type RunEnd,
  type RunSettings,
} from "./agent/run.ts";

const _gone =
  "Its workspace and libraries are gone; the next run starts another container";

/** A box with an agent in it. */
export interface Manned {
  /** The box. */
  readonly box: Box;
  /** Its agent. */
  readonly client: AgentClient;
  /** What connects its guest with the host. */
  readonly tunnels: Tunnels;
}

/** What a wall is made of. */
export interface WallParts {
  /** The box that it begins with. */
  readonly first: Manned;
  /** Starts another one like it. */
  readonly again: (signal: AbortSignal) => Promise<Manned>;
  /** What its runs have in common. */
  readonly settings: RunSettings;
  /** Keeps the box as an image when it closes, and is told its name; undefined when it is not kept. */
  readonly onCommitted: ((image: string) => void) | undefined;
  /** Lets go of what the wall needed beside its box. */
  readonly release?: () => Promise<void>;
}

interface Queued {
  readonly run: AgentRun;
  readonly settle: (outcome: RunOutcome) => void;
  readonly fail: (error: unknown) => void;
}

/** A session in a container. */
export class ContainerWall implements Wall {
  readonly #parts: WallParts;
  readonly #queue: Queued[] = [];
  readonly #closing = new AbortController();
  readonly #served = new Map<number, (connection: Connection) => void>();
  #manned: Promise<Manned> | undefined;
  #living: Living | undefined;
  #current: AgentRun | undefined;
  #working: Promise<void> = Promise.resolve();
  #closed: Promise<void> | undefined;

  /** Takes over a box. */
  constructor(parts: WallParts) {
    this.#parts = parts;
    this.#manned = Promise.resolve(parts.first);
  }

  /** Hash of the image that it runs, where the engine names it by one. */
  get imageSha256(): string | undefined {
    return /(?:^|sha256:)([0-9a-f]{64})$/.exec(this.#parts.first.box.imageId)
      ?.[1];
  }

  /** Runs a program. */
  run(request: RunRequest): Promise<RunOutcome> {
    if (this.#closed) return Promise.reject(_closed());
    return new Promise((settle, fail) => {
      const run = new AgentRun(request, this.#parts.settings);
      const queued = { run, settle, fail };
      this.#queue.push(queued);
      // A run that waits is let go at once when it is stopped.
      run.left.then(({ outcome }) => {
        const at = this.#queue.indexOf(queued);
        if (at >= 0) this.#queue.splice(at, 1);
        settle(outcome);
      });
      this.#work();
    });
  }

  #work(): void {
    if (this.#current) return;
    const next = this.#queue.shift();
    if (!next) return;
    this.#current = next.run;
    this.#working = this.#serve(next).then(next.settle, next.fail).then(() => {
      this.#current = undefined;
      this.#work();
    });
  }

  async #serve({ run }: Queued): Promise<RunOutcome> {
    let manned: Manned;
    try {
      manned = await this.#man();
    } catch (error) {
      if (!(error instanceof SandboxError)) throw error;
      const { code, message } = error;
      run.stop({
        why: "lost",
        failure: {
          code,
          message: message.replace(/^Cannot [^:]+/, "Cannot run code"),
        },
      });
      return (await run.left).outcome;
    }
    const { client } = manned;
    if (client.loss) {
      const failure = await this.#replace(manned, client.loss, "run code");
      run.stop({ why: "lost", failure });
      return (await run.left).outcome;
    }
    const living = this.#living;
    this.#living = undefined;
    const end = await run.run(
      client,
      living?.process.over ? undefined : living,
    );
    this.#living = end.living;
    if (!end.broken) return end.outcome;
    return await this.#broken(manned, end, end.broken);
  }

  /** A run whose box is of no use any more. */
  async #broken(
    manned: Manned,
    { outcome }: RunEnd,
    loss: AgentLoss | "deaf",
  ): Promise<RunOutcome> {
    const gone = await this.#replace(
      manned,
      loss === "deaf" ? { nonsense: "it would not end" } : loss,
      "run code",
    );
    if (this.#closed || !outcome.failure) {
      return { ...outcome, failure: outcome.failure ?? gone };
    }
    const { failure } = outcome;
    return {
      ...outcome,
      failure: {
        ...failure,
        message:
          `${failure.message} The container had to be removed. ${_gone}.`,
        replaced: true,
      },
    };
  }

  /** A box with an agent; another one, if the last was given up. */
  #man(): Promise<Manned> {
    if (this.#closing.signal.aborted) return Promise.reject(_closed());
    if (!this.#manned) {
      const again = this.#again();
      this.#manned = again;
      again.catch(() => {
        if (this.#manned === again) this.#manned = undefined;
      });
    }
    return this.#manned;
  }

  async #again(): Promise<Manned> {
    const manned = await this.#parts.again(this.#closing.signal);
    for (const [port, take] of this.#served) {
      await manned.tunnels.listen(port, take);
    }
    return manned;
  }

  /** Gives up a box, and says why. */
  async #replace(
    manned: Manned,
    { nonsense }: AgentLoss,
    action: string,
  ): Promise<RunFailure> {
    if (this.#closed) {
      return {
        code: "SESSION_CLOSED",
        message: `Cannot ${action}: the session was closed. Open another.`,
      };
    }
    const { box, client } = manned;
    client.close();
    const { code, state } = nonsense === undefined ? await box.lost() : {
      code: "GUEST_CRASHED" as const,
      state: `${nonsense}, so the container was removed`,
    };
    await box.remove().catch(() => {});
    if ((await this.#manned?.catch(() => undefined)) === manned) {
      this.#manned = undefined;
      this.#living = undefined;
    }
    return {
      code,
      message: `Cannot ${action}: ${state}. ${_gone}.`,
      replaced: true,
    };
  }

  /** The files behind the wall. */
  files(root: FileRoot): FileStore {
    const number = root === "sandbox" ? Root.sandbox : Root.libraries;
    return new _Files(async (work) => {
      const manned = await this.#man();
      try {
        return await work(new AgentFiles(manned.client, number));
      } catch (error) {
        if (!manned.client.loss) throw error;
        if (this.#closed) throw _closed();
        const action = /^Cannot ([^:]+):/.exec((error as Error).message)?.[1];
        const why = error instanceof AgentGone
          ? error.loss
          : manned.client.loss;
        const { code, message } = await this.#replace(
          manned,
          why,
          action ?? "use files",
        );
        throw new SandboxError(code, message);
      }
    });
  }

  /** Takes connections that the guest makes to a port of its own; also in a box that comes later. */
  async serve(
    port: number,
    take: (connection: Connection) => void,
  ): Promise<void> {
    this.#served.set(port, take);
    const { tunnels } = await this.#man();
    await tunnels.listen(port, take);
  }

  /** Ends what runs and removes the box. */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    for (const { run } of [...this.#queue]) run.stop({ why: "closed" });
    this.#current?.stop({ why: "closed" });
    const { onCommitted, release } = this.#parts;
    // What is to be kept as an image has to have ended; a consumer of output that takes none is not waited for.
    if (onCommitted) await Promise.race([this.#working, _soon()]);
    const manned = await this.#manned?.catch(() => undefined);
    try {
      if (manned?.box.commit && onCommitted && !manned.client.loss) {
        onCommitted(await manned.box.commit());
      }
    } finally {
      manned?.client.close();
      await manned?.box.remove();
      await release?.();
    }
  }
}

type Work = <T>(work: (files: AgentFiles) => Promise<T>) => Promise<T>;

/** Files of whichever box the wall has. */
class _Files implements FileStore {
  readonly #work: Work;
  readonly parallel = 16;

  constructor(work: Work) {
    this.#work = work;
  }

  write(path: string, bytes: Uint8Array, options: WriteOptions): Promise<void> {
    return this.#work((files) => files.write(path, bytes, options));
  }

  read(
    path: string,
    offset: number,
    length: number,
  ): Promise<{ bytes: Uint8Array; eof: boolean }> {
    return this.#work((files) => files.read(path, offset, length));
  }

  list(path: string, recursive: boolean): Promise<FileEntry[]> {
    return this.#work((files) => files.list(path, recursive));
  }

  stat(path: string): Promise<FileEntry | undefined> {
    return this.#work((files) => files.stat(path));
  }

  mkdir(path: string): Promise<void> {
    return this.#work((files) => files.mkdir(path));
  }

  symlink(path: string, target: string): Promise<void> {
    return this.#work((files) => files.symlink(path, target));
  }

  remove(path: string): Promise<void> {
    return this.#work((files) => files.remove(path));
  }
}

function _soon(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 3_000));
}

function _closed(): SandboxError {
  return new SandboxError(
    "SESSION_CLOSED",
    "Cannot use the session: it is closed. Open another.",
  );
}
