import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { compilePolicy } from "../../src/policy/policy.ts";
import { atMost, type Benchmark, type Row } from "../bench.ts";
import { interleave, type Subject, summarize } from "../measure.ts";

const file = (path: string) => new URL(`../../${path}`, import.meta.url);

/** The first thousand lines of files one after another. */
function thousand(...paths: string[]): string {
  const text = paths.map((path) => readFileSync(file(path), "utf8")).join("\n");
  const lines = text.split("\n");
  if (lines.length < 1000) throw new Error(`only ${lines.length} lines`);
  return lines.slice(0, 1000).join("\n");
}

const samples = {
  python: () =>
    thousand(
      "guests/python/lib/_guest/run.py",
      "guests/python/lib/_guest/tools.py",
      "guests/python/lib/_guest/loop.py",
      "guests/python/lib/_guest/missing.py",
      "guests/python/profile/library.py",
      "guests/python/profile/language.py",
      "guests/linux/lib/_guest/loop.py",
      "guests/linux/steps/stage.py",
      "guests/python/steps/stdlib.py",
      "tests/policy/oracle.py",
      "guests/python/lib/_guest/attach.py",
      "guests/python/lib/_guest/run.py",
      "guests/python/lib/_guest/tools.py",
    ),
  javascript: () =>
    thousand(
      "guests/javascript/js/console.js",
      "guests/javascript/js/web.js",
      "guests/javascript/js/fs.js",
      "guests/javascript/js/loop.js",
      "guests/javascript/js/text.js",
      "guests/javascript/js/process.js",
      "guests/javascript/js/tools.js",
      "guests/javascript/js/errors.js",
    ),
} as const;

/** First use in a fresh process, from loading the policy to its first answer. */
function firstUse(language: string): number {
  const child = fileURLToPath(
    new URL("../children/policy.ts", import.meta.url),
  );
  const config = fileURLToPath(file("deno.json"));
  const { stdout, stderr } = spawnSync(process.execPath, [
    "run",
    "-A",
    "--config",
    config,
    child,
    language,
  ], { encoding: "utf8" });
  const ms = Number(stdout);
  if (!(ms > 0)) throw new Error(stderr);
  return ms;
}

export const policy: Benchmark = {
  name: "policy",
  question: "How long does checking code against a policy take?",
  async run(quick) {
    const subjects: Subject[] = [];
    for (const language of ["python", "javascript"] as const) {
      const compiled = await compilePolicy("dataScience", language);
      const code = samples[language]();
      subjects.push({
        name: language,
        perRound: 10,
        sample: async () => {
          const started = performance.now();
          const { violations } = await compiled.check(code);
          const ms = performance.now() - started;
          if (violations.some(({ rule }) => rule === "limit")) {
            throw new Error("a limit was hit");
          }
          return ms;
        },
      });
    }
    const series = await interleave(subjects, quick ? 5 : 30);
    const rows: Row[] = subjects.map(({ name }) => {
      const figures = summarize(series.get(name)!);
      return {
        what: `1,000 lines, ${name}`,
        unit: "ms",
        figures,
        goal: atMost(figures.p50, 5, "ms"),
      };
    });
    for (const language of ["python", "javascript"]) {
      const times = Array.from(
        { length: quick ? 3 : 10 },
        () => firstUse(language),
      );
      const figures = summarize(times);
      rows.push({
        what: `first use in a process, ${language}`,
        unit: "ms",
        figures,
        goal: atMost(figures.p50, 150, "ms"),
      });
    }
    return { rows };
  },
};
