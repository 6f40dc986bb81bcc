/**
 * What the suite runs over: every backend with every language it is tested in.
 *
 * A backend that comes later adds lines to {@link candidates}; nothing else changes. `MOTE_CONFORMANCE`
 * picks targets by the beginning of their name, as in `MOTE_CONFORMANCE=wasm/python`. A target that this machine cannot
 * run is one skipped test, with the reason; `MOTE_EMULATED=1` lets an emulated hypervisor do.
 */
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { createSession, probe, SandboxError } from "@mote/sandbox";
import type {
  Capabilities,
  RunResult,
  SandboxErrorCode,
  Session,
  SessionOptions,
} from "@mote/sandbox";
import { createMemorySession } from "@mote/sandbox/testing";
import { programs } from "./programs.ts";
import type { Programs } from "./programs.ts";

/** Options that every backend takes. */
export type OpenOptions = Omit<SessionOptions<"wasm">, "backend" | "lang">;

/** One backend with one language. */
export interface Target {
  name: string;
  backend: string;
  lang: string;
  code: Programs;
  capabilities: Capabilities;
  open(options?: OpenOptions): Promise<Session>;
}

interface Candidate extends Omit<Target, "capabilities" | "code"> {
  /** Why this machine cannot run it, if so. */
  missing?(): Promise<string | undefined>;
}

/** An emulated hypervisor will do. */
export const emulated: boolean = process.env.MOTE_EMULATED === "1";

/** Why this machine has no micro-VMs, if so. */
export async function noHypervisor(): Promise<string | undefined> {
  if (emulated) return undefined;
  const { available, reason } = (await probe()).hyperlight;
  return available ? undefined : reason;
}

const candidates: readonly Candidate[] = [
  {
    name: "double/script",
    backend: "memory",
    lang: "script",
    open: (options) => createMemorySession(options),
  },
  ...(["python", "javascript"] as const).map((lang) => ({
    name: `wasm/${lang}`,
    backend: "wasm",
    lang,
    open: (options?: OpenOptions) =>
      createSession({ ...options, backend: "wasm", lang }),
  })),
  ...(["python", "javascript"] as const).map((lang) => ({
    name: `hyperlight/${lang}`,
    backend: "hyperlight",
    lang,
    missing: noHypervisor,
    open: (options?: OpenOptions) =>
      createSession({
        ...options,
        backend: "hyperlight",
        lang,
        acceptEmulatedHypervisor: emulated,
      }),
  })),
  {
    name: "hyperlight-linux/python",
    backend: "hyperlight",
    lang: "python",
    missing: noHypervisor,
    open: (options) =>
      createSession({
        ...options,
        backend: "hyperlight",
        lang: "python",
        guest: "linux",
        acceptEmulatedHypervisor: emulated,
      }),
  },
];

/** Where images of languages are: a prefix such as "lab/" of names such as "python:1"; without it, the languages' own. */
const images = process.env.MOTE_TEST_IMAGES;

/** The node of pods, where a cluster has no scheduler. */
const node = process.env.MOTE_TEST_KUBE_NODE;

const imageNames: Record<string, string> = {
  python: "python:1",
  javascript: "node:1",
};

const containers: readonly Candidate[] =
  (["docker", "podman", "kubernetes"] as const).flatMap((backend) =>
    (["python", "javascript"] as const).map((lang): Candidate => ({
      name: `${backend}/${lang}`,
      backend,
      lang,
      missing: async () => {
        const { available, reason } = (await probe())[backend];
        return available ? undefined : reason;
      },
      open: (options) =>
        createSession({
          ...options,
          backend,
          lang,
          ...images !== undefined && { image: `${images}${imageNames[lang]}` },
          ...backend === "kubernetes" && node !== undefined &&
            { runtimeConfigs: { nodeName: node } },
        }),
    }))
  );

async function find(): Promise<Target[]> {
  const chosen = process.env.MOTE_CONFORMANCE ?? "";
  const found: Target[] = [];
  for (
    const candidate of [...candidates, ...chosen === "" ? [] : containers]
      .filter(({ name }) => name.startsWith(chosen))
  ) {
    const reason = await candidate.missing?.();
    if (reason !== undefined) {
      const title = `${candidate.name}: every test (left out: ${reason})`;
      test(title, { skip: reason }, () => {});
      continue;
    }
    const session = await candidate.open();
    found.push({
      ...candidate,
      code: programs[candidate.lang]!,
      capabilities: session.capabilities,
    });
    await session.close();
  }
  return found;
}

/** Every target, opened once to learn what it can do. */
export const targets: readonly Target[] = await find();

/** Says why a target leaves a test out, or nothing. */
export type Needs = (target: Target) => string | undefined;

/** Leaves out what has no limit of files. */
export const countsFiles: Needs = ({ capabilities }) =>
  capabilities.fileLimit ? undefined : "does not count files";

/** Longest time that a test may take, in ms. */
const testTimeMs = 120_000;

/** Fails instead of hanging. */
export async function bounded<T>(
  work: Promise<T>,
  ms: number,
  what: string,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(
      () => fail(new Error(`${what} took longer than ${ms} ms`)),
      ms,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Registers a test for every target; one that a target can't do is left out by name, with the reason. */
export function each(
  name: string,
  body: (target: Target) => Promise<void>,
  needs?: Needs,
): void {
  for (const target of targets) {
    const reason = needs?.(target);
    const title = `${target.name}: ${name}`;
    if (reason) {
      test(`${title} (left out: ${reason})`, { skip: reason }, () => {});
    } else test(title, () => bounded(body(target), testTimeMs, title));
  }
}

/** Opens a session for as long as `body` takes. */
export async function withSession<T>(
  target: Target,
  options: OpenOptions,
  body: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await target.open(options);
  try {
    return await body(session);
  } finally {
    await session.close();
  }
}

/** Whether a message says what was tried, what stood in the way and what to do. */
export function assertHelpful(message: string): void {
  assert.match(message, /^Cannot [^:]+: .+\. .+\.$/s, `no cure in: ${message}`);
}

/** Expects a SandboxError with this code and a message that helps. */
export async function refused(
  work: Promise<unknown>,
  code: SandboxErrorCode,
): Promise<SandboxError> {
  let value: unknown;
  try {
    value = await work;
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error;
    assert.equal(error.code, code, error.message);
    assertHelpful(error.message);
    return error;
  }
  assert.fail(
    `${code} expected, but it ended with ${
      JSON.stringify(value)?.slice(0, 300)
    }`,
  );
}

/** The same for a run, which hands over what came out until then. */
export async function ended(
  work: Promise<RunResult>,
  code: SandboxErrorCode,
): Promise<RunResult> {
  const error = await refused(work, code);
  assert.ok(error.result, `${code} came without what the run printed`);
  return error.result;
}

/** A plain run works: nothing of what happened before has harmed the session. */
export async function assertHealthy(
  target: Target,
  session: Session,
): Promise<void> {
  const { stdout, stderr, exitCode } = await session.run(
    target.code.print("still here"),
  );
  assert.equal(stdout, "still here\n", stderr);
  assert.equal(exitCode, 0);
}

/** Needs tools. */
export const tools: Needs = ({ capabilities, lang }) =>
  (capabilities.tools as readonly string[]).includes(lang)
    ? undefined
    : "no tools";

/** Needs state that lasts from run to run. */
export const interactive: Needs = ({ capabilities, lang }) =>
  (capabilities.interactive as readonly string[]).includes(lang)
    ? undefined
    : "not interactive";

/** Whether a target is a container, which has the files of its image and a kernel below it. */
export const isContainer = ({ backend }: Target): boolean =>
  ["docker", "podman", "kubernetes"].includes(backend);
