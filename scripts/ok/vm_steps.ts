/** The steps that need a hypervisor. */
import { copyFileSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { cacheDir, root } from "../cargo.ts";
import { prepareConsumer } from "./consumer.ts";
import { counted, none } from "./counts.ts";
import { noMachine, runInMachine } from "./machine.ts";
import { nodeBinary } from "./programs.ts";
import type { Step, Tools } from "./steps.ts";

/** Where what a machine writes stays. */
const out = `${cacheDir}/machine`;

interface VmTests {
  name: string;
  /** Test files or, in Deno, folders of them; without an ending. */
  tests: string[];
  env?: Record<string, string>;
  /** On this Node from the packed package; in Deno from the checkout without. */
  node?: number;
  /** Done before, outside of the machine. */
  prepare?: (tools: Tools) => Promise<number>;
}

function vmTests({ name, tests, env = {}, node, prepare }: VmTests): Step {
  return {
    name,
    async run(tools) {
      if (noMachine) return { ...none, skipped: [`${name}: ${noMachine}`] };
      const { run, report } = tools;
      mkdirSync(out, { recursive: true });
      const made = `${out}/report.xml`;
      rmSync(made, { force: true });
      const prepared = await prepare?.(tools) ?? 0;
      if (prepared !== 0) return false;
      const code = node
        ? await runInMachine(run, await nodeBinary(node, run), [
          "--test",
          "--test-isolation=none",
          "--test-reporter=junit",
          `--test-reporter-destination=${made}`,
          "--test-reporter=spec",
          "--test-reporter-destination=stdout",
          ...tests.map((file) => `${file}.js`),
        ], {
          env: { ...env, MOTE_LIBRARY: "" },
          out,
          cwd: await prepareConsumer(run),
        })
        : await runInMachine(run, Deno.execPath(), [
          "test",
          "-A",
          "--no-check",
          `--junit-path=${made}`,
          ...tests.map((file) => file.endsWith("/") ? file : `${file}.ts`),
        ], {
          env: { ...env, MOTE_LIBRARY: `${root}/target/release/libmote.so` },
          out,
        });
      if (existsSync(made)) copyFileSync(made, report);
      return counted(code, report, name);
    },
  };
}

/** A machine may have no network: what is installed there is put into the cache first. */
const packages = ({ run }: Tools) =>
  run(Deno.execPath(), [
    "run",
    "-A",
    "tests/hyperlight/packages.ts",
    "prepare",
  ]);

/** An image is compiled in a second here, and in minutes where the processor is emulated. */
const images = ({ run }: Tools) =>
  run(Deno.execPath(), ["run", "-A", "tests/hyperlight/images.ts"]);

const both = async (tools: Tools) =>
  await images(tools) || await packages(tools);

const ownGuests = { MOTE_TEST_GUESTS: `${cacheDir}/test-guests` };

/** In this order. */
export const vmSteps: readonly Step[] = [
  vmTests({
    name: "micro-VMs",
    tests: [
      "tests/hyperlight/micro_test",
      "tests/hyperlight/differential_test",
    ],
    prepare: images,
  }),
  vmTests({
    name: "conformance in a VM, deno",
    tests: ["tests/conformance/"],
    env: { MOTE_CONFORMANCE: "hyperlight" },
    prepare: both,
  }),
  vmTests({
    name: "VMs on node 24",
    tests: [
      "abort",
      "escapes",
      "files",
      "install",
      "limits",
      "run",
      "sessions",
      "stream",
      "tools",
    ].map((name) => `tests/conformance/${name}_test`)
      .concat("tests/guests/machine_test"),
    env: { MOTE_CONFORMANCE: "hyperlight", ...ownGuests },
    node: 24,
    prepare: both,
  }),
  vmTests({
    name: "hostile guests in a VM",
    tests: ["tests/hostile/hostile_test"],
    env: { MOTE_HOSTILE_BACKEND: "hyperlight" },
    prepare: images,
  }),
  vmTests({
    name: "hostile guests in the linux guest",
    tests: ["tests/hostile/hostile_test"],
    env: { MOTE_HOSTILE_BACKEND: "hyperlight/linux" },
  }),
  vmTests({
    name: "linux guest",
    tests: ["tests/hyperlight/linux_test", "tests/hyperlight/rights_test"],
    prepare: packages,
  }),
  vmTests({
    name: "own guests in a VM, deno",
    tests: ["tests/guests/machine_test"],
    env: ownGuests,
  }),
];
