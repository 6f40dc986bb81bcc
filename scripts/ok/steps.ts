/** What `deno task ok` runs, in this order. */
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { cacheDir, root } from "../cargo.ts";
import { counted, fromCargo } from "./counts.ts";
import type { Counts } from "./counts.ts";
import { prepareConsumer } from "./consumer.ts";
import { containerSteps } from "./container_steps.ts";
import { vmSteps } from "./vm_steps.ts";
import { cargoFuzz, nodeBinary } from "./programs.ts";

/** Runs a command with its output in the step's log; resolves to its exit code. */
export type Run = (
  command: string,
  args: string[],
  options?: { cwd?: string; env?: Record<string, string> },
) => Promise<number>;

/** What a step gets. */
export interface Tools {
  run: Run;
  /** The step's log as written until now. */
  log(): string;
  /** A file of the step's own for a report. */
  report: string;
}

/** One line of the gate. */
export interface Step {
  name: string;
  /** Where the step's own tests are counted; a step without is one check that passes or fails. */
  run(tools: Tools): Promise<Counts | boolean>;
}

const deno = Deno.execPath();

const entries = ["mod.ts", "testing.ts", "src/cli/main.ts"];

function check(name: string, command: string, ...args: string[]): Step {
  return { name, run: async (tools) => (await tools.run(command, args)) === 0 };
}

function denoTests(name: string, ...paths: string[]): Step {
  return {
    name,
    async run({ run, report }) {
      const code = await run(deno, [
        "test",
        "-A",
        `--junit-path=${report}`,
        ...paths,
      ]);
      return counted(code, report, name);
    },
  };
}

const portable: readonly string[] = ["conformance", "process"];

function nodeTests(version: number): Step {
  const name = `node ${version}`;
  return {
    name,
    async run({ run, report }) {
      const node = await nodeBinary(version, run);
      const dir = await prepareConsumer(run);
      const files = portable.flatMap((folder) =>
        readdirSync(`${dir}/tests/${folder}`)
          .filter((file) => file.endsWith("_test.js"))
          .map((file) => `tests/${folder}/${file}`)
      );
      const reporters = [
        "--test-reporter=junit",
        `--test-reporter-destination=${report}`,
        "--test-reporter=spec",
        "--test-reporter-destination=stdout",
      ];
      const code = await run(node, ["--test", ...reporters, ...files], {
        cwd: dir,
        // The packed library, whatever the caller's own is.
        env: { MOTE_LIBRARY: "" },
      });
      return counted(code, report, name);
    },
  };
}

function fuzzTargets(): string[] {
  const dir = `${root}/rust/fuzz/fuzz_targets`;
  if (!existsSync(dir)) return [];
  return readdirSync(dir).filter((file) => file.endsWith(".rs")).map((file) =>
    file.slice(0, -3)
  );
}

const fuzz: Step = {
  name: "fuzz smoke",
  async run({ run }) {
    const seconds = Deno.env.get("MOTE_FUZZ_SECONDS") ?? "20";
    const bin = await cargoFuzz(run);
    const env = { RUSTC_BOOTSTRAP: "1", CARGO_TARGET_DIR: `${cacheDir}/fuzz` };
    const counts: Counts = { passed: 0, failed: 0, skipped: [], failures: [] };
    for (const target of fuzzTargets()) {
      // Kept, so that the next run begins where this one ends.
      const corpus = `${cacheDir}/fuzz/corpus/${target}`;
      mkdirSync(corpus, { recursive: true });
      const code = await run(bin, [
        "run",
        "--fuzz-dir",
        "rust/fuzz",
        target,
        corpus,
        "--",
        `-max_total_time=${seconds}`,
        "-rss_limit_mb=4096",
      ], { env });
      if (code === 0) counts.passed++;
      else {
        counts.failed++;
        counts.failures.push(`fuzz ${target}`);
      }
    }
    return counts;
  },
};

/** With the library's own profile: compiling a guest without optimisation takes minutes. */
const cargoTests: Step = {
  name: "cargo test",
  async run({ run, log }) {
    const code = await run("cargo", [
      "test",
      "--release",
      "--workspace",
      "--no-fail-fast",
    ]);
    const counts = fromCargo(log());
    if (code !== 0 && counts.failed === 0) {
      return {
        ...counts,
        failed: 1,
        failures: [`cargo test ended with exit code ${code}`],
      };
    }
    return counts;
  },
};

const header: Step = {
  name: "C header",
  async run({ run }) {
    const flags = [
      "-std=c99",
      "-Wall",
      "-Wextra",
      "-Werror",
      "-pedantic",
      "-fsyntax-only",
    ];
    const args = [
      "-I",
      `${root}/rust/abi`,
      "-x",
      "c",
      `${root}/tests/binding/header.c`,
    ];
    return (await run("cc", [...flags, ...args])) === 0;
  },
};

/** TypeScript needs a newer Node than an image of the tests may have. */
const languageTests: Step = {
  name: "languages of containers",
  async run({ run, report }) {
    const code = await run(deno, [
      "test",
      "-A",
      `--junit-path=${report}`,
      "tests/languages/",
    ], { env: { MOTE_TEST_NODE: await nodeBinary(24, run) } });
    return counted(code, report, "languages of containers");
  },
};

/** Every step; the quick ones first, so that a slip shows within seconds. */
export const steps: readonly Step[] = [
  check("format", deno, "fmt", "--check"),
  check("lint", deno, "lint"),
  check("types", deno, "check", "."),
  check("docs of the API", deno, "doc", "--lint", ...entries),
  check("arrows", deno, "run", "-A", "scripts/imports.ts"),
  check("house rules", deno, "run", "-A", "scripts/tidy.ts"),
  check("cargo fmt", "cargo", "fmt", "--all", "--check"),
  check("library", deno, "run", "-A", "scripts/build.ts"),
  denoTests("unit tests", "src/", "ffi/"),
  denoTests("conformance, deno", "tests/conformance/"),
  denoTests("processes", "tests/process/"),
  denoTests("pools", "tests/pool/"),
  languageTests,
  denoTests("binding and cache", "tests/binding/"),
  denoTests("requests", "tests/egress/"),
  denoTests("bench page", "bench/"),
  denoTests("docs", "tests/docs/"),
  check(
    "bench, short, within its budgets",
    deno,
    "run",
    "-A",
    "bench/main.ts",
    "--quick",
    "--budgets",
    "start",
    "run",
    "edges",
    "growth",
  ),
  check("npm packages", deno, "run", "-A", "scripts/npm.ts"),
  nodeTests(20),
  nodeTests(22),
  nodeTests(24),
  denoTests("hostile guests", "tests/hostile/"),
  denoTests("leaks", "tests/leak/"),
  check(
    "clippy",
    "cargo",
    "clippy",
    "--release",
    "--workspace",
    "--all-targets",
    "--",
    "-D",
    "warnings",
  ),
  cargoTests,
  header,
  check("guest images", "bash", "guests/check.sh"),
  denoTests("guests, built", "tests/guests/real_test.ts"),
  ...containerSteps,
  ...vmSteps,
  fuzz,
];
