import { buildNames } from "./build.ts";
import type { Client } from "./client.ts";
import { statusOf } from "./faults.ts";
import { isAbandoned, lives, ownerOf } from "./leases.ts";

const _action = "remove what a crashed process left";

const _filters = JSON.stringify({ label: ["mote.owner"] });

/** Removes what processes that no longer live have left on an engine; resolves to the names of it. */
export async function reap(client: Client): Promise<string[]> {
  const { docker } = client;
  const removed: string[] = [];
  const call = async <T>(made: (signal: AbortSignal) => Promise<T>) =>
    await client.bounded({ action: _action }, made);
  const remove = async (
    name: string,
    made: (signal: AbortSignal) => Promise<unknown>,
  ) => {
    try {
      await call(made);
      removed.push(name);
    } catch (error) {
      // Another process reaps as well, or it is still in use.
      if (![404, 409].includes(statusOf(error) ?? 0)) throw error;
    }
  };
  const containers = await call((abortSignal) =>
    docker.listContainers(
      { all: true, filters: _filters, abortSignal },
    )
  );
  for (const { Id, Names, Labels, State, Created } of containers) {
    const name = Names[0]?.replace(/^\//, "") ?? "";
    const held = {
      owner: Labels["mote.owner"],
      name,
      running: State === "running" || State === "paused",
      createdMs: Created * 1_000,
    };
    if (!isAbandoned(held)) continue;
    await remove(name, (abortSignal) =>
      docker.getContainer(Id).remove(
        { force: true, v: true, abortSignal },
      ));
  }
  const { Volumes } = await call((abortSignal) =>
    docker.listVolumes({ filters: _filters, abortSignal })
  );
  for (const { Name, Labels } of Volumes ?? []) {
    const owner = Labels?.["mote.owner"];
    const held = { owner, name: Name, running: false, createdMs: 0 };
    if (!isAbandoned(held)) continue;
    await remove(
      Name,
      (abortSignal) => docker.getVolume(Name).remove({ abortSignal }),
    );
  }
  const images = await call((abortSignal) =>
    docker.listImages({ filters: _filters, abortSignal })
  );
  for (const { Id, RepoTags, Labels } of images) {
    const owner = ownerOf(Labels?.["mote.owner"]);
    if (!owner || lives(owner) !== false) continue;
    // What a build left that was never finished has no name.
    for (const tag of RepoTags?.length ? RepoTags : [Id]) {
      if (tag !== Id && !tag.startsWith(`${buildNames.passing}:`)) continue;
      await remove(
        tag,
        (abortSignal) => docker.getImage(tag).remove({ abortSignal }),
      );
    }
  }
  return removed;
}
