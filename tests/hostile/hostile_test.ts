/**
 * Runs every program of guests/hostile. Each has to end as its first line says, within a bounded time, and
 * to leave its session and the process healthy. `MOTE_HOSTILE_BACKEND` names another wall than `wasm`, such as
 * `hyperlight`, `hyperlight/linux`, `docker` or `podman`; an emulated hypervisor may serve it with `MOTE_EMULATED=1`,
 * containers have the images below the prefix `MOTE_TEST_IMAGES`.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { after, test } from "node:test";
import { createSession, SandboxError } from "@mote/sandbox";
import type { Limits, RunResult, Session } from "@mote/sandbox";
import { bounded } from "../conformance/targets.ts";

/** How a program may end: `ok` with exit code 0, `exit` with any other, else the code of an error. */
type End = string;

/** What the first line of a program says. */
interface Expected {
  ends: End | End[];
  exitCode?: number;
  stdout?: string;
  /** A pattern. */
  stderr?: string;
  stdinBytes?: number;
  limits?: Limits;
  /** What is different in the linux guest, which has threads, modules and processes of its own; null is anything. */
  linux?: Different;
  /** The same for containers, where ordinary interpreters run. */
  container?: Different;
}

/** What is different behind one wall. */
interface Different {
  ends?: End | End[];
  exitCode?: null;
  stdout?: string | null;
  stderr?: null;
}

const folder = new URL("../../guests/hostile/", import.meta.url);

const limits: Limits = {
  memoryMb: 64,
  outputBytes: 1 << 20,
  workspaceMb: 4,
  workspaceFiles: 1_000,
};

const emulated = process.env.MOTE_EMULATED === "1";

const [backend = "wasm", guest] =
  process.env.MOTE_HOSTILE_BACKEND?.split("/") ?? [];

const wall = {
  backend: backend as "hyperlight",
  ...emulated && { acceptEmulatedHypervisor: true },
  ...guest !== undefined && { guest: guest as "linux" },
};

// Pods have no such limit.
if (backend === "kubernetes") delete limits.workspaceFiles;

const contained = ["docker", "podman", "kubernetes"].includes(backend);

const images = process.env.MOTE_TEST_IMAGES;

/** The node of pods, where a cluster has no scheduler. */
const node = process.env.MOTE_TEST_KUBE_NODE;

const placement = backend === "kubernetes" && node !== undefined
  ? { runtimeConfigs: { nodeName: node } }
  : {};

/** What a session of a language is opened with. */
function wallOf(ending: Ending) {
  if (!contained || images === undefined) return { ...wall, ...placement };
  const image = { py: "python:1", js: "node:1" }[ending];
  return { ...wall, ...placement, image: `${images}${image}` };
}

/** An emulated processor is so much slower. */
const slowness = emulated ? 10 : 1;

/** Time limit of programs that may run into it, in ms; the others get as long as a busy machine may need. */
const timeMs = {
  // A container starts an interpreter of its own for each run.
  shared: 1_000 * (emulated || contained ? 3 : 1),
  own: 20_000 * slowness,
};

/** Ending a run, freeing its memory and answering may take this much longer than its time limit, in ms. */
const graceMs = 5_000 * slowness;

const languages = { py: "python", js: "javascript" } as const;

type Ending = keyof typeof languages;

/** The linux guest has Python only. */
const endings: readonly Ending[] = guest === "linux" ? ["py"] : ["py", "js"];

const isProgram = (name: string): boolean =>
  endings.some((ending) => name.endsWith(`.${ending}`));

const health = { py: "print('healthy')", js: "console.log('healthy')" };

function expectedOf(source: string): Expected {
  const { linux, container, ...expected }: Expected = JSON.parse(
    source.split("\n", 1)[0]!.replace(/^(#|\/\/) /, ""),
  );
  const here = guest === "linux" ? linux : contained ? container : undefined;
  for (const [key, value] of Object.entries(here ?? {})) {
    if (value === null) delete expected[key as keyof Different];
    else Object.assign(expected, { [key]: value });
  }
  return expected;
}

async function outcome(
  run: Promise<RunResult>,
): Promise<{ end: End; result: RunResult }> {
  try {
    const result = await run;
    return { end: result.exitCode === 0 ? "ok" : "exit", result };
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error;
    assert.ok(
      error.result,
      `${error.code} came without what the run printed: ${error.message}`,
    );
    return { end: error.code, result: error.result };
  }
}

async function assertHealthy(session: Session, ending: Ending): Promise<void> {
  const { stdout, stderr } = await session.run(health[ending]);
  assert.equal(stdout, "healthy\n", stderr);
}

async function attack(name: string, ending: Ending): Promise<void> {
  const source = readFileSync(new URL(name, folder), "utf8");
  const expected = expectedOf(source);
  const lang = languages[ending];
  const ends = [expected.ends].flat();
  const own = {
    ...limits,
    timeMs: ends.includes("TIMED_OUT") ? timeMs.shared : timeMs.own,
    ...expected.limits,
  };
  const session = await createSession({
    ...wallOf(ending),
    lang,
    limits: own,
  });
  try {
    const stdin = new Uint8Array(expected.stdinBytes ?? 0);
    const { end, result } = await bounded(
      outcome(session.run(source, { stdin })),
      own.timeMs + graceMs,
      name,
    );
    const printed = `${result.stdout.slice(0, 300)}\n${
      result.stderr.slice(-600)
    }`;
    assert.ok(
      ends.includes(end),
      `ended with ${end}\n${printed}`,
    );
    assert.equal(
      result.exitCode,
      expected.exitCode ?? result.exitCode,
      printed,
    );
    assert.equal(result.stdout, expected.stdout ?? result.stdout, printed);
    if (expected.stderr) {
      assert.match(result.stderr, new RegExp(expected.stderr));
    }
    await assertHealthy(session, ending);
  } finally {
    await bounded(session.close(), graceMs, `closing after ${name}`);
  }
  const next = await createSession({ ...wallOf(ending), lang });
  try {
    await assertHealthy(next, ending);
  } finally {
    await next.close();
  }
}

const chosen = (process.env.MOTE_HOSTILE ?? "").split(",");

for (const name of readdirSync(folder).sort()) {
  if (!isProgram(name) || !chosen.some((one) => name.startsWith(one))) continue;
  const ending = name.slice(name.lastIndexOf(".") + 1) as Ending;
  const uncounted = backend === "kubernetes" &&
    /^disk_(million_(files|directories)|deep\.)/.test(name);
  const skip = uncounted && "pods have no limit of files";
  test(name, { skip }, () => attack(name, ending));
}

test("all of them at once, in one process", async () => {
  const names = readdirSync(folder).filter((name) =>
    /^(endless|memory|output)_/.test(name) && isProgram(name)
  );
  const runs = names.map(async (name) => {
    const source = readFileSync(new URL(name, folder), "utf8");
    const ending = name.slice(-2) as Ending;
    const lang = languages[ending];
    const session = await createSession({
      ...wallOf(ending),
      lang,
      limits: { ...limits, timeMs: 3_000 },
    });
    try {
      await outcome(session.run(source));
    } finally {
      await session.close();
    }
  });
  await bounded(Promise.all(runs), 120_000, "all at once");
});

after(async () => {
  for (const ending of endings) {
    const session = await createSession({
      ...wallOf(ending),
      lang: languages[ending],
    });
    await assertHealthy(session, ending);
    await session.close();
  }
});
