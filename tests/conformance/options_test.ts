/** Options that are wrong are refused before anything happens, and say what would be right. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createSession, probe, tool } from "@mote/sandbox";
import { z } from "zod";
import { each, refused, withSession } from "./targets.ts";
import type { OpenOptions } from "./targets.ts";

const fine = tool({ input: z.any(), output: z.any(), run: () => null });

/** Each with a word that its message must have. */
const wrong: readonly [unknown, RegExp][] = [
  [{ timeoutMs: 0 }, /timeoutMs/],
  [{ timeoutMs: -1 }, /timeoutMs/],
  [{ timeoutMs: 1.5 }, /timeoutMs/],
  [{ timeoutMs: Infinity }, /3600000|3_600_000/],
  [{ timeoutMs: Number.NaN }, /timeoutMs/],
  [{ timeoutMs: "100" }, /timeoutMs/],
  [{ timeoutMs: null }, /timeoutMs/],
  [{ timeoutMs: 10, limits: { timeMs: 20 } }, /limits\.timeMs/],
  [{ limits: { memoryMb: 0 } }, /memoryMb/],
  [{ limits: { memoryMb: 100_000 } }, /memoryMb/],
  [{ limits: { memoryMB: 64 } }, /memoryMb/],
  [{ limits: { outputBytes: -5 } }, /outputBytes/],
  [{ limits: { onOutputLimit: "cut" } }, /truncate/],
  [{ limits: { workspaceMb: 0.5 } }, /workspaceMb/],
  [{ limits: { workspaceFiles: 0 } }, /workspaceFiles/],
  [{ limits: { processes: 0 } }, /processes/],
  [{ limits: { toolCalls: -1 } }, /toolCalls/],
  [{ limits: { toolBytes: 0 } }, /toolBytes/],
  [{ limits: { toolTimeMs: 0 } }, /toolTimeMs/],
  [{ limits: { cpuMs: 0 } }, /cpuMs/],
  [{ limits: [] }, /limits/],
  [{ env: { "A=B": "x" } }, /env/],
  [{ env: { "": "x" } }, /env/],
  [{ env: { A: "\0" } }, /env/],
  [{ env: { A: 1 } }, /env/],
  [{ env: "A=B" }, /env/],
  [{ tools: { "no-name": fine } }, /tools/],
  [{ tools: { then: fine } }, /then/],
  [{ tools: { f: () => 1 } }, /tool\(/],
  [{ libraries: "numpy" }, /libraries/],
  [{ libraries: [1] }, /libraries/],
  [{ interactive: "yes" }, /interactive/],
  [{ signal: {} }, /signal/],
  [{ onProgress: 1 }, /onProgress/],
  [{ timeout: 100 }, /timeoutMs/],
  [{ memoryMb: 100 }, /limits\.memoryMb/],
  [{ rights: { net: 1 } }, /net/],
];

wrong.forEach(([options, word], number) => {
  each(
    `wrong option ${number + 1}: ${JSON.stringify(options)}`,
    async (target) => {
      const error = await refused(
        target.open(options as OpenOptions),
        "INVALID_OPTION",
      );
      assert.match(error.message, word);
    },
  );
});

const wrongRuns: readonly [unknown, RegExp][] = [
  [{ timeoutMs: 0 }, /timeoutMs/],
  [{ stdin: 5 }, /stdin/],
  [{ onStdout: "print" }, /onStdout/],
  [{ signal: 1 }, /signal/],
  [{ time: 1 }, /timeoutMs/],
];

wrongRuns.forEach(([options, word], number) => {
  each(
    `wrong run option ${number + 1}: ${JSON.stringify(options)}`,
    (target) =>
      withSession(target, {}, async (session) => {
        const run = session.run(
          target.code.print("x"),
          options as Record<string, never>,
        );
        assert.match((await refused(run, "INVALID_OPTION")).message, word);
      }),
  );
});

each(
  "code that is neither text nor bytes nor a URL",
  (target) =>
    withSession(target, {}, async (session) => {
      for (const code of [undefined, null, 5, {}, ["x"]]) {
        await refused(session.run(code as unknown as string), "INVALID_OPTION");
      }
    }),
);

each(
  "a network that the wall can't give is UNSUPPORTED, with those that can",
  async (target) => {
    const error = await refused(
      target.open({ rights: { net: ["example.org"] } }),
      "UNSUPPORTED",
    );
    assert.match(error.message, /docker/);
  },
  ({ lang, capabilities }) => {
    if (capabilities.network) return "has a network";
    return (capabilities.http as readonly string[]).includes(lang)
      ? "sends requests through the host"
      : undefined;
  },
);

const unsupported: readonly [Record<string, unknown>, RegExp][] = [
  [{ guestBinaryPath: "/x" }, /hyperlight/],
  [{ keepTemplate: true }, /hyperlight/],
  [{ acceptEmulatedHypervisor: true }, /hyperlight/],
  [{ image: "debian" }, /docker.*podman/s],
  [{ dockerfile: "FROM x" }, /docker/],
  [{ containerId: "x" }, /docker/],
  [{ commitContainer: true }, /docker/],
  [{ runtimeConfigs: { a: 1 } }, /docker/],
  [{ skipEnvironmentSetup: true }, /docker/],
  [{ kubeNamespace: "x" }, /kubernetes/],
  [{ podManifest: {} }, /kubernetes/],
  [{ workdir: "/elsewhere" }, /docker/],
];

for (const [options, word] of unsupported) {
  test(`wasm: ${JSON.stringify(options)} is UNSUPPORTED, with the backends that can`, async () => {
    const error = await refused(
      createSession({ backend: "wasm", ...options }),
      "UNSUPPORTED",
    );
    assert.match(error.message, word);
  });
}

test("a backend and a language that do not exist", async () => {
  const open = createSession as (options: unknown) => Promise<unknown>;
  assert.match(
    (await refused(open({ backend: "xen" }), "INVALID_OPTION")).message,
    /wasm/,
  );
  assert.match(
    (await refused(open({ lang: "cobol" }), "INVALID_OPTION")).message,
    /python/,
  );
});

test("a backend that is not in this version says so", async () => {
  const reachable = await probe();
  for (const [backend, { available, reason }] of Object.entries(reachable)) {
    assert.ok(reason.length > 5, `${backend}: ${reason}`);
    if (available) continue;
    const open = createSession as (options: unknown) => Promise<unknown>;
    await assert.rejects(
      open({ backend }),
      (error: { code: string }) =>
        ["UNSUPPORTED", "BACKEND_UNAVAILABLE"].includes(error.code),
    );
  }
  assert.equal(reachable.wasm.available, true, reachable.wasm.reason);
});

test("auto says what it chose and why", async () => {
  const session = await createSession();
  try {
    assert.ok(["wasm", "hyperlight"].includes(session.backend.name));
    assert.ok(session.backend.reason.length > 10);
  } finally {
    await session.close();
  }
});

test("options that are no object", async () => {
  const open = createSession as (options: unknown) => Promise<unknown>;
  for (const options of ["python", 5, true, [], () => {}]) {
    const error = await refused(open(options), "INVALID_OPTION");
    assert.match(error.message, /object/);
  }
});

test("a tool without schemas or without run is refused", () => {
  const make = tool as (definition: unknown) => unknown;
  const schema = z.any();
  for (
    const definition of [
      {},
      { input: schema, run: () => 1 },
      { output: schema, run: () => 1 },
      { input: schema, output: schema },
      { input: {}, output: schema, run: () => 1 },
    ]
  ) {
    assert.throws(() => make(definition), { code: "INVALID_OPTION" });
  }
});
