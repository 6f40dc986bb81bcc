import { SandboxError } from "../../../errors.ts";
import { throwIfAborted } from "../../../host_error.ts";
import type { BoxSpec } from "../box.ts";
import type { Inspected } from "./api.ts";
import { DockerBox, type Remains, removeRemains } from "./box.ts";
import { AttachedChannel } from "./channel.ts";
import type { Client } from "./client.ts";
import { oneLine, statusOf, wordsOf } from "./faults.ts";
import { feed } from "../feed.ts";
import { pullImage } from "./images.ts";
import { labelOf, newName, thisProcess } from "./leases.ts";
import { authFor } from "./registries.ts";
import {
  checkMade,
  creationBody,
  type Frame,
  mountOptions,
} from "./request.ts";

const _action = "start a container";

/** What starting asks of the connection that it goes over. */
export interface Starting {
  /** The engine. */
  readonly client: Client;
  /** Rejects when the engine cannot hold what a box is promised. */
  readonly capacity: Promise<void>;
  /** Is told what could not be removed. */
  readonly onLeft: (remains: Remains) => void;
  /** Is told of a box that was removed. */
  readonly onRemoved: (box: DockerBox) => void | Promise<void>;
}

/** Starts a box from an image that the engine has, or can pull. */
export async function startBox(
  starting: Starting,
  spec: BoxSpec,
  image: string,
): Promise<DockerBox> {
  const { client } = starting;
  const owner = labelOf(thisProcess());
  const volumes = await _makeVolumes(client, spec, owner);
  const name = newName();
  let remains: Remains = { container: name, volumes: [...volumes.values()] };
  let channel: AttachedChannel | undefined;
  const remove = async () => {
    try {
      await removeRemains(client, remains);
    } catch (error) {
      starting.onLeft(remains);
      throw error;
    }
  };
  try {
    const frame: Frame = { engine: client.engine, owner, volumes, covered: [] };
    let made = await _make(client, spec, image, name, frame);
    const own = new Set(volumes.values());
    const open = (made.inspected.Mounts ?? [])
      .filter((one) => one.Type === "volume" && !own.has(one.Name ?? ""))
      .map((one) => one.Destination ?? "");
    if (open.length > 0 && !spec.rights.writableRoot) {
      made.channel.close();
      await removeRemains(client, { container: made.id, volumes: [] });
      made = await _make(client, spec, image, name, {
        ...frame,
        covered: open,
      });
    }
    channel = made.channel;
    remains = { ...remains, container: made.id };
    checkMade(spec, client.engine, made.inspected);
    await starting.capacity;
    throwIfAborted(spec.signal, _action);
    // It lies ready when the main process begins to read.
    if (spec.input) feed(channel, spec.input);
    await client.bounded(
      { action: _action, timeMs: 60_000 },
      (abortSignal) =>
        client.docker.getContainer(made.id).start({ abortSignal }),
    );
    throwIfAborted(spec.signal, _action);
    const imageId = made.inspected.Image;
    const fed = spec.input !== undefined;
    const about = { id: made.id, name, imageId, channel, fed };
    const box: DockerBox = new DockerBox(client, spec, about, async () => {
      await remove();
      await starting.onRemoved(box);
    });
    return box;
  } catch (error) {
    channel?.close();
    // The first error says more than that of clearing away, which is tried again later.
    await remove().catch(() => {});
    throw _startFault(client, error);
  }
}

async function _makeVolumes(
  client: Client,
  spec: BoxSpec,
  owner: string,
): Promise<ReadonlyMap<string, string>> {
  const volumes = new Map<string, string>();
  if (client.engine !== "podman") return volumes;
  const wanted = spec.folders.filter(({ files }) => files !== null);
  for (const { path } of wanted) volumes.set(path, newName());
  const made = await Promise.allSettled(
    wanted.map((folder) =>
      client.bounded(
        { action: _action },
        (abortSignal) =>
          client.docker.createVolume({
            Name: volumes.get(folder.path)!,
            Driver: "local",
            DriverOpts: {
              type: "tmpfs",
              device: "tmpfs",
              o: mountOptions(folder, spec.rights, "volume"),
            },
            Labels: { "mote.owner": owner },
            abortSignal,
          }),
      )
    ),
  );
  const failed = made.find((one) => one.status === "rejected");
  if (!failed) return volumes;
  await Promise.allSettled(
    [...volumes.values()].map((name) =>
      client.bounded(
        { action: _action },
        (abortSignal) => client.docker.getVolume(name).remove({ abortSignal }),
      )
    ),
  );
  throw client.fault(_action, failed.reason);
}

/** Creates a container, attaches to it and looks at what it became. */
async function _make(
  client: Client,
  spec: BoxSpec,
  image: string,
  name: string,
  frame: Frame,
): Promise<{ id: string; channel: AttachedChannel; inspected: Inspected }> {
  const { docker } = client;
  const body = creationBody(spec, image, frame);
  const create = () =>
    client.bounded(
      { action: _action, timeMs: 60_000 },
      (abortSignal) =>
        docker.createContainer(
          { _query: { name }, _body: body, abortSignal },
        ),
    );
  throwIfAborted(spec.signal, _action);
  let id: string;
  try {
    ({ id } = await create());
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
    if (spec.source.kind !== "image") throw error;
    const auth = authFor(image);
    await pullImage(client, image, auth, spec.signal, spec.onProgress);
    ({ id } = await create());
  }
  const query = "stream=1&stdin=1&stdout=1&stderr=1&";
  const [stream, inspected] = await Promise.all([
    client.hijack(`/containers/${id}/attach?${query}`, undefined, {
      action: _action,
    }),
    client.bounded(
      { action: _action },
      (abortSignal) => docker.getContainer(id).inspect({ abortSignal }),
    ),
  ]);
  return {
    id,
    channel: new AttachedChannel(stream),
    inspected,
  };
}

function _startFault(client: Client, error: unknown): unknown {
  const status = statusOf(error);
  if (status === undefined) return client.fault(_action, error);
  const words = wordsOf(error);
  const said = (code: "GUEST_INVALID" | "INVALID_OPTION", cure: string) =>
    new SandboxError(
      code,
      `Cannot ${_action}: ${client.engine} says ${oneLine(words)}. ${cure}.`,
      { cause: error },
    );
  if (
    /executable file .*not found|exec: .*no such file|exec format error/i.test(
      words,
    )
  ) {
    const cure =
      "Use an image for this machine's processor that has sh, head and chmod";
    return said("GUEST_INVALID", cure);
  }
  if (
    status === 400 ||
    /CPUs|runtime|bind source|statfs|no such file|mount|memory limit|ulimit/i
      .test(words)
  ) {
    const cure =
      "Correct the image, limits, rights or runtimeConfigs that it speaks of";
    return said("INVALID_OPTION", cure);
  }
  return client.fault(_action, error);
}
