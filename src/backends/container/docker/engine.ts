import { setInterval } from "node:timers";
import { SandboxError } from "../../../errors.ts";
import type { BackendStatus } from "../../backend.ts";
import type { Box, BoxSpec, ContainerEngine } from "../box.ts";
import { attachTo } from "./attach.ts";
import { type DockerBox, type Remains, removeRemains } from "./box.ts";
import { Builder } from "./build.ts";
import { checkCapacity, statusOfEngine } from "./capacity.ts";
import { Client } from "./client.ts";
import type { EngineName } from "./endpoint.ts";
import { statusOf } from "./faults.ts";
import { findEndpoint } from "./find.ts";
import { renewalMs, renewed } from "./leases.ts";
import { reap } from "./reap.ts";
import { checkHostFolders } from "./host_folders.ts";
import { creationBody, runtimeOf } from "./request.ts";
import { startBox, type Starting } from "./start.ts";
import { type Surroundings, thisMachine } from "./surroundings.ts";

/** What a process keeps of an engine that it uses. */
class _Connection {
  readonly client: Client;
  readonly builder: Builder;
  readonly #boxes = new Set<DockerBox>();
  readonly #left = new Set<Remains>();
  readonly #capacity = new Map<boolean, Promise<void>>();
  #reaped = false;
  #renewal: NodeJS.Timeout | undefined;

  constructor(client: Client) {
    this.client = client;
    this.builder = new Builder(client);
  }

  /** Whether the engine can hold limits; asked once, and again after a failure. */
  capacity(ownRuntime: boolean): Promise<void> {
    let asked = this.#capacity.get(ownRuntime);
    if (!asked) {
      asked = checkCapacity(this.client, ownRuntime);
      asked.catch(() => this.#capacity.delete(ownRuntime));
      this.#capacity.set(ownRuntime, asked);
    }
    return asked;
  }

  /** Removes what others left, once, and what this process could not remove before; in the background. */
  clearAway(): void {
    const failed = () => {
      this.#reaped = false;
    };
    if (!this.#reaped) {
      this.#reaped = true;
      reap(this.client).catch(failed);
    }
    for (const remains of this.#left) {
      this.#left.delete(remains);
      removeRemains(this.client, remains).catch(() => this.#left.add(remains));
    }
  }

  readonly onLeft = (remains: Remains): void => void this.#left.add(remains);

  readonly onRemoved = (box: DockerBox): void => {
    this.#boxes.delete(box);
    if (this.#boxes.size > 0) return;
    clearInterval(this.#renewal);
    this.#renewal = undefined;
  };

  /** Keeps the lease of a box for as long as it is there. */
  hold(box: DockerBox): DockerBox {
    this.#boxes.add(box);
    this.#renewal ??= setInterval(() => this.#renew(), renewalMs).unref();
    return box;
  }

  #renew(): void {
    for (const box of this.#boxes) {
      const name = renewed(box.name);
      const limits = { action: "renew a container's lease" };
      this.client.bounded(
        limits,
        (abortSignal) =>
          this.client.docker.getContainer(box.id).rename(
            { name, abortSignal },
          ),
      ).then(() => void (box.name = name), () => {
        // The lease is long enough for several tries.
      });
    }
  }
}

/** Docker, or Podman through the API that it shares with Docker. */
export class DockerEngine implements ContainerEngine {
  readonly name: EngineName;
  readonly cutsNetwork = true;
  readonly countsFiles = true;
  readonly #machine: () => Surroundings;
  readonly #connections = new Map<string, _Connection>();

  /** Looks for the engine when it is first used. */
  constructor(name: EngineName, machine: () => Surroundings = thisMachine) {
    this.name = name;
    this.#machine = machine;
  }

  #connect(): _Connection {
    const endpoint = findEndpoint(this.name, this.#machine());
    const key = JSON.stringify(endpoint.at);
    let found = this.#connections.get(key);
    if (!found) {
      found = new _Connection(new Client(this.name, endpoint));
      this.#connections.set(key, found);
    }
    return found;
  }

  async probe(): Promise<BackendStatus> {
    try {
      return await statusOfEngine(this.#connect().client);
    } catch (error) {
      if (!(error instanceof SandboxError)) throw error;
      return { available: false, reason: error.message };
    }
  }

  async start(spec: BoxSpec): Promise<Box> {
    const on = this.#connect();
    on.clearAway();
    const { source } = spec;
    if (source.kind === "container") {
      return await attachTo(on.client, spec, source.id);
    }
    checkHostFolders(on.client.endpoint, spec.rights);
    const capacity = on.capacity(runtimeOf(spec) !== undefined);
    // Whoever waits for it comes later, if at all.
    capacity.catch(() => {});
    const starting: Starting = {
      client: on.client,
      capacity,
      onLeft: on.onLeft,
      onRemoved: on.onRemoved,
    };
    if (source.kind === "image") {
      return on.hold(await startBox(starting, spec, source.image));
    }
    // Options are refused before minutes are spent on a build.
    const nothing = { owner: "", volumes: new Map(), covered: [] };
    creationBody(spec, "", { ...nothing, engine: this.name });
    return on.hold(await _startBuilt(on, starting, spec, source.path));
  }
}

/** Starts a box from a Dockerfile's image, which ends with its last box unless it is kept. */
async function _startBuilt(
  on: _Connection,
  starting: Starting,
  spec: BoxSpec,
  path: string,
): Promise<DockerBox> {
  const { keepTemplate, signal, onProgress } = spec;
  const attempt = async () => {
    const built = await on.builder.build(
      path,
      keepTemplate,
      signal,
      onProgress,
    );
    const onRemoved = async (box: DockerBox) => {
      await starting.onRemoved(box);
      await built.release();
    };
    try {
      return await startBox({ ...starting, onRemoved }, spec, built.image);
    } catch (error) {
      await built.release();
      throw error;
    }
  };
  try {
    return await attempt();
  } catch (error) {
    // Another process removed the image between the build and the start.
    if (statusOf((error as SandboxError).cause) !== 404) throw error;
    return await attempt();
  }
}
