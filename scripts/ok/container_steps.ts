/** The steps that need an engine of containers: DOCKER_HOST, CONTAINER_HOST and MOTE_TEST_IMAGES say where and with what. */
import { readdirSync } from "node:fs";
import process from "node:process";
import { prepareConsumer } from "./consumer.ts";
import { counted, none } from "./counts.ts";
import { nodeBinary } from "./programs.ts";
import type { Run, Step } from "./steps.ts";

type Engine = "docker" | "podman" | "kubernetes";

const probed = new Map<Engine, Promise<string | undefined>>();

/** Why an engine cannot be used here, if so. */
function missing(engine: Engine): Promise<string | undefined> {
  let found = probed.get(engine);
  if (!found) {
    // Loaded late: the quick steps need no library for it.
    found = import("../../mod.ts").then(async ({ probe }) => {
      const { available, reason } = (await probe())[engine];
      return available ? undefined : reason;
    });
    probed.set(engine, found);
  }
  return found;
}

interface EngineTests {
  name: string;
  /** Every one of them has to answer; without any the tests say themselves what they leave out. */
  engines: readonly Engine[];
  /** Files, or folders of them. */
  tests: readonly string[];
  env?: Record<string, string>;
}

function engineTests({ name, engines, tests, env = {} }: EngineTests): Step {
  return {
    name,
    async run({ run, report }) {
      for (const engine of engines) {
        const why = await missing(engine);
        if (why) return { ...none, skipped: [`${name}: ${why}`] };
      }
      const code = await run(process.execPath, [
        "test",
        "-A",
        `--junit-path=${report}`,
        ...tests,
      ], { env });
      return counted(code, report, name);
    },
  };
}

/** The packed package on Node, in containers of one engine. */
function nodeInContainers(version: number, target: string): Step {
  const name = `containers on node ${version}`;
  return {
    name,
    async run({ run, report }) {
      const why = await missing(target.split("/")[0] as Engine);
      if (why) return { ...none, skipped: [`${name}: ${why}`] };
      return await onNode(version, target, name, run, report);
    },
  };
}

async function onNode(
  version: number,
  target: string,
  name: string,
  run: Run,
  report: string,
) {
  const node = await nodeBinary(version, run);
  const dir = await prepareConsumer(run);
  const files = readdirSync(`${dir}/tests/conformance`)
    .filter((file) => file.endsWith("_test.js"))
    .map((file) => `tests/conformance/${file}`);
  const code = await run(node, [
    "--test",
    "--test-reporter=junit",
    `--test-reporter-destination=${report}`,
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    ...files,
  ], { cwd: dir, env: { MOTE_CONFORMANCE: target, MOTE_LIBRARY: "" } });
  return counted(code, report, name);
}

const hostile = ["tests/hostile/hostile_test.ts"];

/** In this order. */
export const containerSteps: readonly Step[] = [
  engineTests({
    name: "containers",
    engines: [],
    tests: ["tests/containers/"],
  }),
  engineTests({
    name: "conformance in docker, deno",
    engines: ["docker"],
    tests: ["tests/conformance/"],
    env: { MOTE_CONFORMANCE: "docker" },
  }),
  engineTests({
    name: "conformance in podman, deno",
    engines: ["podman"],
    tests: ["tests/conformance/"],
    env: { MOTE_CONFORMANCE: "podman/python" },
  }),
  engineTests({
    name: "conformance in kubernetes, deno",
    engines: ["kubernetes"],
    tests: ["run", "abort", "escapes", "limits", "sessions"].map((name) =>
      `tests/conformance/${name}_test.ts`
    ),
    env: { MOTE_CONFORMANCE: "kubernetes/python" },
  }),
  nodeInContainers(20, "docker/javascript"),
  engineTests({
    name: "hostile guests in docker",
    engines: ["docker"],
    tests: hostile,
    env: { MOTE_HOSTILE_BACKEND: "docker" },
  }),
  // What the engine itself has to hold; the rest is the interpreters' and the same in both.
  engineTests({
    name: "hostile guests in podman",
    engines: ["podman"],
    tests: hostile,
    env: {
      MOTE_HOSTILE_BACKEND: "podman",
      MOTE_HOSTILE: "disk_,escape_,memory_,processes,raw_",
    },
  }),
  engineTests({
    name: "hostile guests in kubernetes",
    engines: ["kubernetes"],
    tests: hostile,
    env: {
      MOTE_HOSTILE_BACKEND: "kubernetes",
      MOTE_HOSTILE: "escape_,memory_,processes",
    },
  }),
];
