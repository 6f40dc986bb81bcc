/**
 * What real code is said of: the standard library and popular wheels, against what CPython's own parser sees in them.
 * A false alarm is a finding that it does not confirm, a miss an import of a restricted module without one.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { cacheDir } from "../../src/cache.ts";
import { loadHost } from "../../src/host.ts";
import type { Violation } from "../../src/errors.ts";
import { python } from "../../src/policy/languages/python.ts";
import { compilePolicy } from "../../src/policy/policy.ts";
import { resolvePolicy } from "../../src/policy/resolved.ts";
import { Rules } from "../../src/policy/rules.ts";

const wheels = [
  "attrs==25.3.0",
  "beautifulsoup4==4.13.4",
  "click==8.2.1",
  "flask==3.1.1",
  "httpx==0.28.1",
  "jinja2==3.1.6",
  "more-itertools==10.7.0",
  "networkx==3.5",
  "packaging==25.0",
  "pygments==2.19.2",
  "pyparsing==3.2.3",
  "python-dateutil==2.9.0.post0",
  "requests==2.32.4",
  "rich==14.0.0",
  "seaborn==0.13.2",
  "six==1.17.0",
  "tabulate==0.9.0",
  "toolz==1.0.0",
  "tqdm==4.67.1",
  "werkzeug==3.1.3",
];

interface Seen {
  path: string;
  broken?: boolean;
  /** Line, module, and what is taken from it. */
  imports: [number, string, string][];
  /** Line and name. */
  names: [number, string][];
}

function run(command: string, args: string[], input = ""): string | undefined {
  const { error, status, stdout } = spawnSync(command, args, {
    input,
    encoding: "utf8",
    maxBuffer: 1_073_741_824,
  });
  return error || status !== 0 ? undefined : stdout;
}

function filesBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: "utf8" })
    .filter((name) =>
      name.endsWith(".py") &&
      !/(^|\/)(tests?|idle_test|site-packages|dist-packages)\//.test(name)
    )
    .map((name) => join(dir, name));
}

/** How far the end of an expression may be from the place that is named. */
const nearLines = 20;

function confirmed({ rule, name, line = 0 }: Violation, seen: Seen): boolean {
  const near = (at: number) => Math.abs(at - line) <= nearLines;
  const last = name.split(".").at(-1)!.replace("()", "");
  const named = seen.names.some(([at, one]) =>
    (near(at) || rule === "dynamic") && one.includes(last)
  );
  if (rule !== "restricted-module") {
    return rule !== "limit" && rule !== "parse-error" && named;
  }
  const module = python.naming.module(name);
  return named || seen.imports.some(([at, from, what]) => {
    const whole = python.naming.module(what === "" ? from : `${from}.${what}`);
    return near(at) && `${whole}.`.startsWith(`${module}.`);
  });
}

async function judge(what: string, files: readonly string[]): Promise<void> {
  const oracle = fileURLToPath(new URL("oracle.py", import.meta.url));
  const output = run("python3", [oracle], files.join("\n"));
  assert.ok(output !== undefined, "the oracle failed");
  const policy = await compilePolicy("dataScience", "python");
  const rules = new Rules(
    resolvePolicy("dataScience"),
    "python",
    python.naming,
  );
  const falseAlarms: string[] = [];
  const missed: string[] = [];
  const counts = { files: 0, blocked: 0, findings: 0, imports: 0 };
  for (const line of output.trim().split("\n")) {
    const seen: Seen = JSON.parse(line);
    if (seen.broken) continue;
    counts.files++;
    const { safe, violations } = await policy.check(
      new Uint8Array(readFileSync(seen.path)),
    );
    if (!safe) counts.blocked++;
    counts.findings += violations.length;
    for (const one of violations) {
      if (confirmed(one, seen)) continue;
      falseAlarms.push(
        `${seen.path}:${one.line} ${one.rule} ${one.name}: ${one.excerpt}`,
      );
    }
    for (const [at, from, name] of seen.imports) {
      const rule = rules.module(from) ??
        (name === "" ? undefined : rules.module(`${from}.${name}`));
      if (!rule || from.startsWith(".")) continue;
      counts.imports++;
      const found = violations.some((one) =>
        one.rule === "restricted-module" && one.name === rule.name &&
        one.line === at
      );
      // Many findings in one file are cut.
      if (!found && violations.length < 200) {
        missed.push(`${seen.path}:${at} ${from} ${name}`);
      }
    }
  }
  console.log(
    `${what}: ${falseAlarms.length} false alarms in ${counts.files} files ` +
      `(${counts.findings} findings, ${counts.blocked} files blocked); ` +
      `${missed.length} of ${counts.imports} imports of restricted modules missed`,
  );
  assert.deepEqual(falseAlarms, []);
  assert.deepEqual(missed, []);
}

test("the standard library of the host's Python", async () => {
  const where = run("python3", [
    "-c",
    "import sysconfig; print(sysconfig.get_paths()['stdlib'])",
  ])?.trim();
  if (where === undefined || !existsSync(where)) {
    console.log("left out: the standard library, as there is no python3");
    return;
  }
  await judge("standard library", filesBelow(where));
});

test("popular pure-Python wheels", async () => {
  const dir = `${cacheDir(await loadHost())}/policy-corpus`;
  mkdirSync(dir, { recursive: true });
  const files: string[] = [];
  for (const wanted of wheels) {
    const to = `${dir}/${wanted}`;
    if (!existsSync(to)) {
      const fresh = `${to}.${process.pid}`;
      const pip = ["-m", "pip", "install", "--quiet", "--no-deps"];
      const only = ["--only-binary=:all:", "--no-compile", "--target", fresh];
      const done = run("python3", [...pip, ...only, wanted]);
      if (done === undefined) {
        rmSync(fresh, { recursive: true, force: true });
        console.log(`left out: ${wanted}, as pip cannot fetch it`);
        continue;
      }
      renameSync(fresh, to);
    }
    files.push(...filesBelow(to));
  }
  if (files.length > 0) await judge("wheels", files);
});
