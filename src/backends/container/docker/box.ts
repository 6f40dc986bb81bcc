import type { Box, BoxSpec, Channel, Loss } from "../box.ts";
import type { State } from "./api.ts";
import type { Client } from "./client.ts";
import { commitContainer } from "./commit.ts";
import { connectionFault, statusOf, wordsOf } from "./faults.ts";

/** How long an engine may take until something is gone, in ms. */
const _removalMs = 30_000;

const _pollMs = 50;

/** Long enough for an engine that works, short enough to be waited for, in ms. */
const _lookMs = 4_500;

/** What belongs to one container on an engine. */
export interface Remains {
  /** The container's identifier; its name until one is known. */
  readonly container: string;
  /** Volumes that end with it. */
  readonly volumes: readonly string[];
}

const _pause = (ms: number) =>
  new Promise<void>((done) => setTimeout(done, ms));

/** Ends and removes a container with its volumes; resolves when they are gone. */
export async function removeRemains(
  client: Client,
  { container, volumes }: Remains,
): Promise<void> {
  const { docker } = client;
  const action = `remove the container ${container.slice(0, 32)}`;
  const until = Date.now() + _removalMs;
  const gone = async (removal: (signal: AbortSignal) => Promise<unknown>) => {
    for (;;) {
      try {
        const timeMs = Math.max(1_000, until - Date.now());
        await client.bounded({ action, timeMs }, removal);
        return;
      } catch (error) {
        const status = statusOf(error);
        if (status === 404) return;
        // Somebody else is at it, or it is being stopped: once more until it is gone.
        const again = status === 409 || status === 500;
        if (!again || Date.now() > until) throw client.fault(action, error);
      }
      await _pause(_pollMs);
    }
  };
  await gone((abortSignal) =>
    docker.getContainer(container).remove(
      { force: true, v: true, abortSignal },
    )
  );
  await Promise.all(
    volumes.map((name) =>
      gone((abortSignal) => docker.getVolume(name).remove({ abortSignal }))
    ),
  );
}

/** What became of a container, seen from outside. */
export async function whatBecame(
  client: Client,
  id: string,
  memoryMb: number,
): Promise<Loss> {
  const { docker, engine, endpoint } = client;
  const until = Date.now() + _lookMs;
  const died = (state: string): Loss => ({ code: "GUEST_CRASHED", state });
  for (;;) {
    let state: State;
    try {
      const timeMs = Math.max(1, until - Date.now());
      const action = "look at the container";
      const found = await client.bounded(
        { action, timeMs },
        (abortSignal) => docker.getContainer(id).inspect({ abortSignal }),
      );
      state = found.State;
    } catch (error) {
      // While a container goes, Podman does not find it with another status.
      if (statusOf(error) === 404 || /no such container/.test(wordsOf(error))) {
        return died("the container was removed from outside");
      }
      const fault = connectionFault(engine, endpoint, error);
      const words = fault?.state ?? `${engine} says ${wordsOf(error)}`;
      return { code: "BACKEND_UNAVAILABLE", state: words };
    }
    if (state.OOMKilled) {
      return {
        code: "MEMORY_EXCEEDED",
        state: `the container needed more than ${memoryMb} MiB`,
      };
    }
    if (!state.Running && _settled(state)) return died(_ending(state));
    // The engine may learn of the end a little after its client.
    if (Date.now() > until - 2_500) {
      return state.Paused ? died("the container was paused from outside") : {
        code: "BACKEND_UNAVAILABLE",
        state: "the connection to the container broke",
      };
    }
    await _pause(_pollMs);
  }
}

/** Whether a state is no step on the way to another. */
function _settled({ Status = "exited" }: State): boolean {
  return ["exited", "dead", "created"].includes(Status);
}

function _ending({ ExitCode, Error: words }: State): string {
  if (ExitCode === 137) return "the container was killed from outside";
  const said = words ? `, ${words}` : "";
  return `the container's main process ended with ${ExitCode ?? "?"}${said}`;
}

/** A container of ours. */
export class DockerBox implements Box {
  readonly id: string;
  readonly imageId: string;
  readonly channel: Channel;
  readonly alone = true;
  readonly fed: boolean;
  /** The name it has now. */
  name: string;
  readonly #client: Client;
  readonly #spec: BoxSpec;
  readonly #remove: () => Promise<void>;
  #removed: Promise<void> | undefined;

  /** `remove` ends it, with all that belongs to it. */
  constructor(
    client: Client,
    spec: BoxSpec,
    made: Pick<Box, "id" | "imageId" | "channel"> & {
      readonly name: string;
      readonly fed: boolean;
    },
    remove: () => Promise<void>,
  ) {
    this.#client = client;
    this.#spec = spec;
    this.id = made.id;
    this.name = made.name;
    this.imageId = made.imageId;
    this.channel = made.channel;
    this.fed = made.fed;
    this.#remove = remove;
  }

  lost(): Promise<Loss> {
    return whatBecame(this.#client, this.id, this.#spec.limits.memoryMb);
  }

  remove(): Promise<void> {
    // Once it has failed it may be tried again.
    return this.#removed ??= this.#remove().catch((error) => {
      this.#removed = undefined;
      throw error;
    }).finally(() => this.channel.close());
  }

  commit(): Promise<string> {
    return commitContainer(this.#client, this.id, this.imageId);
  }
}
