/** The steps that need a hypervisor. */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
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
  /** On these Nodes from the packed package, in one machine; in Deno from the checkout without. */
  nodes?: readonly number[];
  /** Done before, outside of the machine. */
  prepare?: (tools: Tools) => Promise<number>;
}

/** Tests in one process: to load an image takes half a minute where the processor is emulated. */
const onNodes = `
out=$1 tests=$2; shift 2
status=0 count=0
for node; do
  count=$((count + 1))
  "$node" --test-reporter=junit --test-reporter-destination="$out/report-$count.xml" \\
    --test-reporter=spec --test-reporter-destination=stdout --input-type=module --eval "$tests" || status=$?
done
exit $status`;

function vmTests({ name, tests, env = {}, nodes, prepare }: VmTests): Step {
  return {
    name,
    async run(tools) {
      if (noMachine) return { ...none, skipped: [`${name}: ${noMachine}`] };
      const { run, report } = tools;
      mkdirSync(out, { recursive: true });
      const made = (nodes ?? [0]).map((_, at) => `${out}/report-${at + 1}.xml`);
      for (const file of made) rmSync(file, { force: true });
      const prepared = await prepare?.(tools) ?? 0;
      if (prepared !== 0) return false;
      const code = nodes
        ? await runInMachine(run, "sh", [
          "-c",
          onNodes,
          "sh",
          out,
          tests.map((file) => `import "./${file}.js";`).join(" "),
          ...await Promise.all(nodes.map((node) => nodeBinary(node, run))),
        ], {
          env: { ...env, MOTE_LIBRARY: "" },
          out,
          cwd: await prepareConsumer(run),
        })
        : await runInMachine(run, Deno.execPath(), [
          "test",
          "-A",
          "--no-check",
          `--junit-path=${made[0]}`,
          ...tests.map((file) => file.endsWith("/") ? file : `${file}.ts`),
        ], {
          env: { ...env, MOTE_LIBRARY: `${root}/target/release/libmote.so` },
          out,
        });
      const reports = made.filter(existsSync);
      if (reports.length > 0) {
        const texts = reports.map((file) => readFileSync(file, "utf8"));
        writeFileSync(report, texts.join("\n"));
      }
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
    nodes: [24],
    prepare: both,
  }),
  vmTests({
    name: "VMs on node 20 and 22",
    tests: ["abort", "run", "sessions", "tools"].map((name) =>
      `tests/conformance/${name}_test`
    ),
    env: { MOTE_CONFORMANCE: "hyperlight/python" },
    nodes: [20, 22],
    prepare: images,
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
    name: "from guest to guest, and no debug port",
    tests: ["tests/hyperlight/over_test", "tests/hyperlight/debug_port_test"],
    env: ownGuests,
    prepare: both,
  }),
  vmTests({
    name: "own guests in a VM, deno",
    tests: ["tests/guests/machine_test"],
    env: ownGuests,
  }),
];
