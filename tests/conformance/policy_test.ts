import assert from "node:assert/strict";
import { test } from "node:test";
import { createSession } from "@mote/sandbox";
import type {
  RunResult,
  SandboxError,
  SecurityPolicyOption,
} from "@mote/sandbox";
import {
  each,
  interactive,
  type Needs,
  refused,
  withSession,
} from "./targets.ts";

/** A policy and programs for it, by language. */
const samples: Readonly<
  Record<string, {
    policy: SecurityPolicyOption;
    bad: string;
    dynamic: string;
    good: string;
    alias: [string, string];
  }>
> = {
  python: {
    policy: {
      restrictedModules: [{ name: "os", alternatives: ["pathlib"] }],
      restrictedCalls: [{ name: "shutil.rmtree" }],
    },
    bad: "print('begun')\nimport sys, os",
    dynamic: "print('begun')\neval(input())",
    good: "print('import os')",
    alias: ["import shutil as s", "s.rmtree('x')"],
  },
  javascript: {
    policy: {
      restrictedModules: [{ name: "fs", alternatives: ["nothing"] }],
      restrictedCalls: [{ name: "process.exit" }],
    },
    bad: "console.log('begun');\nimport { readFileSync } from 'node:fs';",
    dynamic: "console.log('begun');\neval(process.argv[2])",
    good: "console.log('import os')",
    alias: ["const p = process", "p.exit(3)"],
  },
};

const hasRules: Needs = ({ lang }) =>
  lang in samples ? undefined : "no policy knows the language";

async function violation(work: Promise<unknown>): Promise<SandboxError> {
  const error = await refused(work, "POLICY_VIOLATION");
  assert.ok(error.violations?.length, "no violations");
  assert.equal(error.result, undefined);
  return error;
}

each("code that the policy refuses does not begin", async (target) => {
  const { policy, bad, dynamic, good } = samples[target.lang]!;
  await withSession(target, { securityPolicy: policy }, async (session) => {
    let output = "";
    const onStdout = (text: string) => void (output += text);
    const error = await violation(session.run(bad, { onStdout }));
    const [first] = error.violations!;
    assert.equal(first!.rule, "restricted-module");
    assert.equal(first!.line, 2);
    assert.equal(first!.blocks, true);
    assert.ok(first!.column! > 1);
    assert.ok(bad.includes(first!.excerpt!));
    assert.match(first!.hint, /^Use /);
    await violation(session.run(dynamic, { onStdout }));
    assert.equal(output, "");
    const { stdout } = await session.run(good);
    assert.equal(stdout, "import os\n");
  });
}, hasRules);

each("a stream that the policy refuses hands out nothing", async (target) => {
  const { policy, bad } = samples[target.lang]!;
  await withSession(target, { securityPolicy: policy }, async (session) => {
    const chunks: unknown[] = [];
    await violation((async () => {
      for await (const chunk of session.stream(bad)) chunks.push(chunk);
    })());
    assert.deepEqual(chunks, []);
  });
}, hasRules);

each("bytes are checked like text", async (target) => {
  const { policy, bad } = samples[target.lang]!;
  await withSession(target, { securityPolicy: policy }, async (session) => {
    await violation(session.run(new TextEncoder().encode(bad)));
  });
}, hasRules);

each("isSafe says what is found and runs nothing", async (target) => {
  const { policy, bad, good } = samples[target.lang]!;
  await withSession(target, { securityPolicy: policy }, async (session) => {
    const report = await session.isSafe(bad);
    assert.equal(report.safe, false);
    assert.equal(report.violations.length, 1);
    assert.deepEqual(await session.isSafe(good), {
      safe: true,
      violations: [],
    });
    await session.close();
    await refused(session.isSafe(good), "SESSION_CLOSED");
  });
}, hasRules);

each("without a policy there is nothing to ask", async (target) => {
  await withSession(target, {}, async (session) => {
    await refused(session.isSafe("x"), "INVALID_OPTION");
  });
});

each("cells are checked with what earlier ones bound", async (target) => {
  const { policy, alias: [first, second] } = samples[target.lang]!;
  const options = { securityPolicy: policy, interactive: true };
  await withSession(target, options, async (session) => {
    await session.run(first);
    await violation(session.run(second));
    await violation(session.run(second));
  });
}, (target) => hasRules(target) ?? interactive(target));

each(
  "packages are checked before they are installed",
  async (target) => {
    const securityPolicy = { restrictedModules: [{ name: "yaml" }] };
    await withSession(target, { securityPolicy }, async (session) => {
      await violation(session.install(["six", "PyYAML==6.0"]));
      await violation(session.run("1", { libraries: ["pyyaml"] }));
    });
    await violation(target.open({ securityPolicy, libraries: ["pyyaml"] }));
  },
  ({ lang, capabilities }) =>
    lang === "python" &&
      (capabilities.install as readonly string[]).includes(lang)
      ? undefined
      : "no packages of Python",
);

each("a policy for a language without rules is refused", async (target) => {
  await refused(
    target.open({ securityPolicy: "strict" }),
    "UNSUPPORTED",
  );
}, (target) => hasRules(target) ? undefined : "the language has rules");

each(
  "a policy that cannot be kept is refused when the session opens",
  async (target) => {
    for (
      const securityPolicy of [
        { patterns: [{ pattern: "(?!x)" }] },
        { patterns: [{ query: "(nothing_like_it) @x" }] },
        "lax",
        { restrictedModules: ["os"] },
      ]
    ) {
      await refused(
        target.open({ securityPolicy: securityPolicy as SecurityPolicyOption }),
        "INVALID_OPTION",
      );
    }
  },
  hasRules,
);

test("a WASI module has no source to check", async () => {
  await refused(
    createSession({ backend: "wasm", lang: "wasm", securityPolicy: "strict" }),
    "UNSUPPORTED",
  );
});

test("many checks at the same time do not disturb each other", async () => {
  const session = await createSession({
    backend: "wasm",
    lang: "javascript",
    securityPolicy: samples.javascript!.policy,
  });
  const runs = Array.from(
    { length: 40 },
    (_, at) =>
      at % 2 === 0
        ? session.run(`console.log(${at})`)
        : session.run("import 'fs'").catch((error: unknown) => error),
  );
  const results = await Promise.all(runs);
  for (const [at, result] of results.entries()) {
    if (at % 2 === 0) assert.equal((result as RunResult).stdout, `${at}\n`);
    else assert.equal((result as SandboxError).code, "POLICY_VIOLATION");
  }
  await session.close();
});
