/**
 * `deno task demo`: hands a table of this machine to Python code in a sandbox, and takes its answer, a
 * result file and a chart back out.
 */
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { createSession } from "@mote/sandbox";
import { readTable } from "./table.ts";

const out = fileURLToPath(new URL("../../.demo/", import.meta.url));

const steps: { name: string; ms: number; note: string }[] = [];

async function step<T>(
  name: string,
  work: () => Promise<T>,
  note: (value: T) => string,
): Promise<T> {
  const started = performance.now();
  const value = await work();
  steps.push({ name, ms: performance.now() - started, note: note(value) });
  return value;
}

const size = (file: string): string =>
  `${(statSync(file).size / 1024).toFixed(1)} KiB`;

const shown = (file: string): string => relative(process.cwd(), file) || file;

function table(): string {
  const all = [...steps, {
    name: "together",
    ms: steps.reduce((sum, { ms }) => sum + ms, 0),
    note: "",
  }];
  const width = Math.max(...all.map(({ name }) => name.length));
  return all.map(({ name, ms, note }) =>
    `  ${name.padEnd(width)}  ${ms.toFixed(1).padStart(8)} ms  ${note}`
      .trimEnd()
  ).join("\n");
}

mkdirSync(out, { recursive: true });
const { source, noun, csv } = readTable();
writeFileSync(`${out}packages.csv`, csv);

const session = await step(
  "session",
  () => createSession({ backend: "wasm", lang: "python", env: { NOUN: noun } }),
  ({ backend }) => `Python behind ${backend.name}`,
);
try {
  await step(
    "copy in",
    () => session.copyToRuntime(`${out}packages.csv`, "packages.csv"),
    () => `packages.csv, ${size(`${out}packages.csv`)}, from ${source}`,
  );
  const result = await step(
    "run",
    () => session.run(new URL("analyse.py", import.meta.url)),
    ({ timings }) =>
      `analyse.py, first byte after ${timings.firstByteMs?.toFixed(1)} ms`,
  );
  if (result.exitCode !== 0) throw new Error(result.stderr);
  for (const file of ["summary.json", "chart.svg"]) {
    await step(
      "copy out",
      () => session.copyFromRuntime(file, `${out}${file}`),
      () => `${shown(`${out}${file}`)}, ${size(`${out}${file}`)}`,
    );
  }
  console.log(`\n${result.stdout}`);
} finally {
  await step("close", () => session.close(), () => "");
}
console.log(`${table()}\n`);
