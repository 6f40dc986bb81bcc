import { spawn } from "node:child_process";
import process from "node:process";
import { createSession, probe } from "../../mod.ts";
import { planPod } from "../../src/backends/container/kubernetes/pod.ts";
import type { Benchmark, Row } from "../bench.ts";
import { interleave, summarize } from "../measure.ts";
import { output } from "../process.ts";

const prefix = process.env.MOTE_TEST_IMAGES;
const node = process.env.MOTE_TEST_KUBE_NODE;
const image = prefix ? `${prefix}python:1` : "python:3.13-slim";
const runtimeConfigs = node ? { nodeName: node } : {};
const program = "print('hi')";

/** µs of createSession, one run and close. */
async function session(): Promise<number> {
  const started = performance.now();
  const one = await createSession({
    backend: "kubernetes",
    image,
    runtimeConfigs,
  });
  try {
    const { stdout, stderr } = await one.run(program);
    if (stdout !== "hi\n") throw new Error(stderr);
  } finally {
    await one.close();
  }
  return (performance.now() - started) * 1000;
}

/** The pod of a session, whose main process waits and ends when it is told to. */
function overrides(): string {
  const { spec } = planPod({
    source: { kind: "image", image },
    command: ["sh", "-c", "trap 'exit 0' TERM; sleep 600 & wait"],
    workdir: "/",
    env: {},
    folders: ["/sandbox", "/site-packages", "/tmp", "/run/mote"].map((
      path,
    ) => ({
      path,
      sizeMb: 256,
      files: null,
      executable: true,
    })),
    rights: {
      network: false,
      read: {},
      write: {},
      root: false,
      writableRoot: false,
      capabilities: [],
      newPrivileges: false,
    },
    limits: {
      memoryMb: 1_344,
      cpus: 1,
      processes: 256,
      workspaceMb: 256,
      workspaceFiles: 10_000,
    },
    runtimeConfigs,
    purpose: "session",
    keepTemplate: false,
  }).manifest("", "");
  return JSON.stringify({ spec });
}

let _turn = 0;

/** µs of kubectl run, wait, exec and delete of such a pod. */
async function kubectl(): Promise<number> {
  const name = `mote-bench-${process.pid}-${_turn++}`;
  const pod = overrides();
  const started = performance.now();
  await output("kubectl", [
    "run",
    name,
    `--image=${image}`,
    "--restart=Never",
    `--overrides=${pod}`,
    "--override-type=strategic",
  ]);
  try {
    await output("kubectl", [
      "wait",
      `pod/${name}`,
      "--for=condition=Ready",
      "--timeout=60s",
    ]);
    const hi = await output("kubectl", [
      "exec",
      name,
      "--container=mote",
      "--",
      "python3",
      "-c",
      program,
    ]);
    if (hi !== "hi\n") throw new Error(`kubectl exec answered ${hi}`);
  } finally {
    await output("kubectl", ["delete", "pod", name, "--now"]);
  }
  return (performance.now() - started) * 1000;
}

function hasKubectl(): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn("kubectl", ["version", "--client"], {
      stdio: "ignore",
    });
    child.on("error", () => resolve(false));
    child.on("close", (code) => resolve(code === 0));
  });
}

export const kubernetes: Benchmark = {
  name: "kubernetes",
  question: "How long does a session in a pod take, from opening to close?",
  async run(quick) {
    const { available, reason } = (await probe()).kubernetes;
    if (!available) {
      return { rows: [], missing: [{ what: "kubernetes", why: reason }] };
    }
    const ours = { name: "kubernetes session", perRound: 1, sample: session };
    const theirs = {
      name: "kubectl run, exec, delete",
      perRound: 1,
      sample: kubectl,
    };
    const there = await hasKubectl();
    const subjects = there ? [ours, theirs] : [ours];
    const series = await interleave(subjects, quick ? 3 : 10);
    const rows: Row[] = [...series].map(([what, samples]) => ({
      what,
      unit: "µs",
      figures: summarize(samples),
    }));
    const [own, other] = rows;
    if (!other) {
      const why = "kubectl is not on the PATH";
      return { rows, missing: [{ what: theirs.name, why }] };
    }
    const ratio = own!.figures.p50 / other.figures.p50;
    own!.ratio = `${ratio.toFixed(2)} × kubectl`;
    own!.goal = { text: "≤ 1.1 × kubectl", met: ratio <= 1.1 };
    return { rows };
  },
};
