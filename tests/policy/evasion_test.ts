/** Every known attempt to get past a policy is caught, or reported as decided at run time only. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { compilePolicy } from "../../src/policy/policy.ts";
import type { SecurityPolicy } from "../../src/security_policy.ts";
import { type Evasion, evasions } from "./corpus.ts";

const policies: Record<"python" | "javascript", SecurityPolicy> = {
  python: {
    restrictedModules: [{ name: "os" }, { name: "subprocess" }],
    restrictedCalls: [{ name: "shutil.rmtree" }],
  },
  javascript: {
    restrictedModules: [{ name: "fs" }, { name: "child_process" }],
    restrictedCalls: [{ name: "process.exit" }, { name: "os.hostname" }],
  },
};

const least = { python: 150, javascript: 100 } as const;

for (const language of ["python", "javascript"] as const) {
  test(`${language}: every evasion is caught or called dynamic`, async () => {
    const policy = await compilePolicy(policies[language], language);
    const all = evasions(language);
    assert.ok(all.length >= least[language], `only ${all.length} cases`);
    const missed: string[] = [];
    let dynamic = 0;
    for (const { kind, code } of all) {
      const { safe, violations } = await policy.check(code);
      if (safe) missed.push(`${kind}: ${JSON.stringify(code)}`);
      else if (violations.every(({ rule }) => rule === "dynamic")) dynamic++;
    }
    const caught = all.length - missed.length;
    console.log(
      `${language}: caught ${caught}/${all.length}, ${dynamic} of them as dynamic only`,
    );
    assert.deepEqual(missed, []);
  });
}

test("TypeScript: the evasions of JavaScript are caught too", async () => {
  const policy = await compilePolicy(policies.javascript, "typescript");
  const missed: string[] = [];
  for (const { code, sloppy } of evasions("javascript")) {
    if (!sloppy && (await policy.check(code)).safe) missed.push(code);
  }
  assert.deepEqual(missed, []);
});

test("a JavaScript session may be given TypeScript's words", async () => {
  const policy = await compilePolicy(policies.javascript, "javascript");
  assert.equal((await policy.check("const x = 1; x;")).safe, true);
});

/** A corpus of code that does not run proves nothing. */
test("the evasions are code", (context) => {
  const missing = brokenPython(evasions("python"));
  if (missing === undefined) {
    context.diagnostic("left out: there is no python3");
    console.log("left out: compiling the Python cases, as there is no python3");
  } else assert.deepEqual(missing, []);
});

function brokenPython(all: readonly Evasion[]): string[] | undefined {
  const program = `
import json, sys, warnings
warnings.simplefilter("ignore")
for code in json.load(sys.stdin):
    try:
        compile(code.encode(), "case", "exec")
    except SyntaxError as error:
        print(json.dumps([code, str(error)]))
`;
  const { error, status, stdout } = spawnSync("python3", ["-c", program], {
    input: JSON.stringify(all.map(({ code }) => code)),
    encoding: "utf8",
  });
  if (error || status !== 0) return undefined;
  return stdout.split("\n").filter((line) => line !== "");
}
