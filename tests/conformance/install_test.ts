/** Libraries. The only tests that use the network, and only through the installer's own client. */
import assert from "node:assert/strict";
import process from "node:process";
import { each, refused, withSession } from "./targets.ts";
import type { Needs } from "./targets.ts";

const python: Needs = ({ capabilities, lang }) => {
  if (!(capabilities.install as readonly string[]).includes(lang)) {
    return "no install()";
  }
  return lang === "python" ? undefined : "its packages are another test's";
};

/** A machine for micro-VMs may have no network; what other tests install is in the cache by then. */
const indexed: Needs = (target) =>
  python(target) ??
    (process.env.MOTE_OFFLINE === "1" ? "needs the package index" : undefined);

const usesHumanize = `import humanize\nprint(humanize.intcomma(1234567))`;

each(
  "install puts a package into the session, for every later run",
  (target) =>
    withSession(target, {}, async (session) => {
      const installed = await session.install(["humanize"]);
      const humanize = installed.find(({ name }) => name === "humanize");
      assert.match(humanize?.version ?? "", /^\d/);
      assert.match(humanize?.sha256 ?? "", /^[0-9a-f]{64}$/);
      for (let run = 0; run < 2; run++) {
        const { stdout, stderr } = await session.run(usesHumanize);
        assert.equal(stdout, "1,234,567\n", stderr);
      }
    }),
  python,
);

each(
  "install brings what the package depends on",
  (target) =>
    withSession(target, {}, async (session) => {
      const installed = await session.install(["markdown-it-py"]);
      assert.ok(
        installed.some(({ name }) => name === "mdurl"),
        JSON.stringify(installed),
      );
      const { stdout, stderr } = await session.run(
        `from markdown_it import MarkdownIt\nprint(MarkdownIt().render("*hello*"), end="")`,
      );
      assert.equal(stdout, "<p><em>hello</em></p>\n", stderr);
    }),
  python,
);

each(
  "libraries of the session are there from the first run",
  (target) =>
    withSession(target, { libraries: ["humanize"] }, async (session) => {
      assert.equal((await session.run(usesHumanize)).stdout, "1,234,567\n");
    }),
  python,
);

each(
  "a run waits for an installation that was asked for before it",
  (target) =>
    withSession(target, {}, async (session) => {
      const installing = session.install(["humanize"]);
      const { stdout, receipt } = await session.run(usesHumanize);
      assert.equal(stdout, "1,234,567\n");
      assert.deepEqual(receipt.libraries, await installing);
    }),
  python,
);

each(
  "libraries of a run",
  (target) =>
    withSession(target, {}, async (session) => {
      const { stdout } = await session.run(usesHumanize, {
        libraries: ["humanize"],
      });
      assert.equal(stdout, "1,234,567\n");
    }),
  python,
);

each(
  "one session's libraries are not another's",
  (target) =>
    withSession(target, {}, async (session) => {
      const { exitCode, stderr } = await session.run(usesHumanize);
      assert.equal(exitCode, 1);
      assert.match(stderr, /ModuleNotFoundError/);
    }),
  python,
);

each(
  "a package with native wheels only names itself and the backends that can",
  (target) =>
    withSession(target, {}, async (session) => {
      const error = await refused(session.install(["numpy"]), "INSTALL_FAILED");
      assert.match(error.message, /numpy/);
      assert.match(error.message, /docker|hyperlight/);
      assert.equal((await session.run("print(1)")).stdout, "1\n");
    }),
  (target) => {
    const { capabilities, backend } = target;
    if (capabilities.nativeLibraries) return "takes native wheels";
    if (backend === "hyperlight") return "goes over to a guest that takes them";
    return indexed(target);
  },
);

each(
  "a package that does not exist",
  (target) =>
    withSession(target, {}, async (session) => {
      const name = "mote-no-such-package-anywhere";
      const error = await refused(session.install([name]), "INSTALL_FAILED");
      assert.match(error.message, new RegExp(name));
    }),
  indexed,
);

for (
  const name of [
    "--index-url=x",
    "-r x",
    "",
    "a b",
    "../x",
    "git+https://localhost/x",
  ]
) {
  each(
    `install refuses ${JSON.stringify(name)}`,
    (target) =>
      withSession(target, {}, async (session) => {
        await refused(session.install([name]), "INVALID_OPTION");
      }),
    python,
  );
}

each(
  "install takes a signal",
  (target) =>
    withSession(target, {}, async (session) => {
      const signal = AbortSignal.abort();
      await refused(session.install(["humanize"], { signal }), "ABORTED");
    }),
  python,
);
