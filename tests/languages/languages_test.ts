/**
 * Every language in containers: a whole run, a compile error, a runtime error, a timeout, memory, packages. What this
 * machine has no engine for is left out by name. MOTE_LANGUAGES=docker/go runs what begins so.
 */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import {
  createSession,
  type Language,
  probe,
  SandboxError,
  type Session,
} from "@mote/sandbox";
import { languages } from "../../src/languages/languages.ts";
import { noImage, type Source, sourceOf } from "./images.ts";
import { cases, type LanguageCase } from "./programs.ts";

type Engine = "docker" | "podman" | "kubernetes";

/** All on docker; of the others, what goes other ways: a driver, a compiler, a plain script. */
const wanted: Readonly<Record<Engine, readonly string[]>> = {
  docker: Object.keys(cases),
  podman: ["python", "c", "bash"],
  kubernetes: ["javascript", "bash"],
};

/** The node of pods, where a cluster has no scheduler. */
const node = process.env.MOTE_TEST_KUBE_NODE;

const chosen = process.env.MOTE_LANGUAGES ?? "";
const status = await probe();

async function failure(
  work: Promise<unknown>,
  code: string,
): Promise<SandboxError> {
  const error: unknown = await work.then(
    (value) =>
      assert.fail(
        `${code} expected, not ${JSON.stringify(value).slice(0, 500)}`,
      ),
    (error) => error,
  );
  assert.ok(error instanceof SandboxError, String(error));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, /^Cannot [^:]+: .+\. .+\.$/s);
  return error;
}

function suite(backend: Engine, lang: string, one: LanguageCase): void {
  const name = `${backend}/${lang}`;
  let source: Source | undefined;
  let session: Session;
  const open = async (registry: boolean) => {
    const image = languages[lang as Language].container!.image;
    source = await sourceOf(one, image, registry);
    return await createSession({
      backend,
      lang: lang as Language,
      ...source.options,
      ...backend === "kubernetes" && node !== undefined &&
        { runtimeConfigs: { nodeName: node } },
    });
  };

  test(`${name}: opens`, async () => {
    session = await open(one.install?.registry !== undefined);
    assert.equal(session.backend.name, backend);
  });

  test(`${name}: files, arguments, standard input and exit code`, async () => {
    const dir = await mkdtemp(join(tmpdir(), "mote-languages-"));
    try {
      const { helper } = one;
      await writeFile(join(dir, helper.name), helper.text);
      await session.copyToRuntime(join(dir, helper.name), helper.name);
      const result = await session.run(one.whole, {
        args: ["one", "t w o"],
        stdin: "from stdin",
      });
      assert.equal(result.exitCode, 3, result.stderr);
      assert.equal(result.stdout.trimEnd(), "helped one t w o from stdin");
      assert.equal(result.stderr, "err\n");
      assert.ok(result.artifacts.some(({ path }) => path === "out.txt"));
      await session.copyFromRuntime("out.txt", join(dir, "out.txt"));
      assert.equal(await readFile(join(dir, "out.txt"), "utf8"), "made");
      const left = (await session.listFiles()).map(({ path }) => path).sort();
      assert.deepEqual(left, [helper.name, "out.txt"].sort());
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });

  test(`${name}: what is no program`, async () => {
    const { exitCode, stdout, stderr } = await session.run(one.broken);
    assert.notEqual(exitCode, 0);
    assert.match(stderr, one.complaint);
    assert.equal(stdout, "");
  });

  test(`${name}: what fails while it runs`, async () => {
    const { exitCode, stderr } = await session.run(one.fails);
    assert.notEqual(exitCode, 0);
    assert.match(stderr, one.failure);
  });

  test(`${name}: what does not end`, async () => {
    // Compiling counts, and takes a while where every processor is busy.
    const { compile } = languages[lang as Language].container!;
    const timeoutMs = compile ? 6_000 : 1_500;
    const run = session.run(one.loop, { timeoutMs });
    await failure(run, "TIMED_OUT");
    const args = ["one", "two"];
    const again = await session.run(one.whole, { args, stdin: "again" });
    assert.equal(again.exitCode, 3, again.stderr);
  });

  if (one.fills) {
    test(`${name}: what fills the memory`, async () => {
      const run = session.run(one.fills!);
      await failure(run, "MEMORY_EXCEEDED");
      const { exitCode } = await session.run(one.fails);
      assert.notEqual(exitCode, 0);
    });
  }

  if (one.install) {
    const { packages, code, name: installed } = one.install;
    test(`${name}: packages`, async () => {
      const found = await session.install(packages);
      const library = found.find(({ name }) => name === installed);
      assert.match(library?.version ?? "", /\d/, JSON.stringify(found));
      const { stdout, stderr } = await session.run(code);
      assert.equal(stdout.trim(), "installed", stderr);
    });
  }

  if (lang === "python") {
    test(`${name}: packages reach an interpreter that runs already`, async () => {
      const living = await createSession({
        backend,
        lang,
        ...source!.options,
        interactive: true,
      });
      try {
        await living.run("x = 41");
        const before = await living.run("print(sorted(dir()))");
        await living.install(one.install!.packages);
        const after = await living.run("print(sorted(dir()))");
        assert.equal(after.stdout, before.stdout);
        const { stdout, stderr } = await living.run(
          "import humanize; print(x + 1)",
        );
        assert.equal(stdout, "42\n", stderr);
      } finally {
        await living.close();
      }
    });
  }

  test(`${name}: packages that cannot be`, async () => {
    for (
      const odd of ["--help", "../x", "https://example.com/x", "a;b", "$(id)"]
    ) {
      await failure(session.install([odd]), "INVALID_OPTION");
    }
  });

  test(`${name}: closes`, async () => {
    await session.close();
  });

  after(async () => {
    await session?.close();
    await source?.remove();
  });
}

for (const [backend, names] of Object.entries(wanted)) {
  for (const lang of names) {
    const name = `${backend}/${lang}`;
    if (!name.startsWith(chosen)) continue;
    const { available, reason } = status[backend as Engine];
    const one = cases[lang]!;
    const missing = available ? noImage(one) : reason;
    if (missing === undefined) suite(backend as Engine, lang, one);
    else {
      const title = `${name}: every case (left out: ${missing})`;
      test(title, { skip: missing }, () => {});
    }
  }
}
