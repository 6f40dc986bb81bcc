/**
 * The engines that the tests of containers run on: docker and podman, as far as one answers.
 */
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import type { Box, BoxSpec } from "../../src/backends/container/box.ts";
import Dockerode from "dockerode";
import { DockerEngine } from "../../src/backends/container/docker/engine.ts";
import { findEndpoint } from "../../src/backends/container/docker/find.ts";
import { thisMachine } from "../../src/backends/container/docker/surroundings.ts";
import { boxSpec } from "./specs.ts";

/** An engine under test. */
export interface Tested {
  name: "docker" | "podman";
  engine: DockerEngine;
  /** The engine's API, to look and to interfere from outside. */
  // deno-lint-ignore no-explicit-any -- whatever the API answers
  docker: any;
}

const found: Tested[] = [];

for (const name of ["docker", "podman"] as const) {
  const engine = new DockerEngine(name);
  const { available, reason } = await engine.probe();
  if (available) {
    const { at } = findEndpoint(name, thisMachine());
    const docker = new Dockerode({ host: undefined, ...at });
    found.push({ name, engine, docker });
  } else {test(
      `${name}: every test (left out: ${reason})`,
      { skip: reason },
      () => {},
    );}
}

/** The engines that answer. */
export const engines: readonly Tested[] = found;

/** A test for each engine that answers. */
export function each(
  what: string,
  body: (tested: Tested) => Promise<void>,
): void {
  for (const tested of engines) {
    test(`${tested.name}: ${what}`, { timeout: 120_000 }, () => body(tested));
  }
}

/** Everything that a box says until its main process ends. */
export async function saidBy(box: Box): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of box.channel.output) {
    text += decoder.decode(bytes, { stream: true });
  }
  return text;
}

/** Starts a box for as long as `body` takes. */
export async function withBox<T>(
  { engine }: Tested,
  spec: BoxSpec,
  body: (box: Box) => Promise<T>,
): Promise<T> {
  const box = await engine.start(spec);
  try {
    return await body(box);
  } finally {
    await box.remove();
  }
}

/** What a script in a box of its own says. */
export function said(
  tested: Tested,
  script: string,
  more?: Partial<BoxSpec>,
): Promise<string> {
  return withBox(tested, boxSpec(script, more), saidBy);
}

interface Labelled {
  Id: string;
  Name: string;
  RepoTags?: string[];
  Labels: Record<string, string>;
}

/** What our label is on: containers, volumes and images, of one process or of all. */
export async function ours(
  { docker }: Tested,
  pid?: number,
): Promise<string[]> {
  const filters = JSON.stringify({ label: ["mote.owner"] });
  const [containers, volumes, images] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listVolumes({ filters }),
    docker.listImages({ filters }),
  ]);
  const whose = ({ Labels }: Labelled) =>
    pid === undefined || Labels["mote.owner"]!.includes(`/${pid}/`);
  return [
    ...containers.filter(whose).map(({ Id }: Labelled) => Id),
    ...(volumes.Volumes ?? []).filter(whose).map(({ Name }: Labelled) => Name),
    ...images.filter(whose).flatMap(({ RepoTags }: Labelled) =>
      RepoTags ?? ["<none>"]
    ),
  ];
}

/** Fails when `body` leaves anything on the engine. */
export async function leavesNothing(
  tested: Tested,
  body: () => Promise<void>,
): Promise<void> {
  const before = new Set(await ours(tested, process.pid));
  await body();
  const left = (await ours(tested, process.pid)).filter((one) =>
    !before.has(one)
  );
  assert.deepEqual(left, []);
}

/** Waits until `done`; fails when it takes too long. */
export async function until(
  what: string,
  done: () => Promise<boolean> | boolean,
  ms = 20_000,
): Promise<void> {
  const end = Date.now() + ms;
  const step = 25;
  while (!await done()) {
    assert.ok(Date.now() < end, `${what} took longer than ${ms} ms`);
    await new Promise<void>((next) => setTimeout(next, step));
  }
}
