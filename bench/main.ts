/**
 * `deno task bench [--quick] [--list] [--out FILE] [CASE…]`: measures Mote next to host processes of the same run.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { arch, cpus, loadavg, release } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";
import type { Benchmark, Missing, Row } from "./bench.ts";
import { cpu } from "./cases/cpu.ts";
import { first } from "./cases/first.ts";
import { kubernetes } from "./cases/kubernetes.ts";
import { live } from "./cases/live.ts";
import { pool } from "./cases/pool.ts";
import { run } from "./cases/run.ts";
import { start } from "./cases/start.ts";
import { tools } from "./cases/tools.ts";

const cases: Benchmark[] = [
  start,
  run,
  tools,
  live,
  cpu,
  first,
  pool,
  kubernetes,
];
const peers = [
  "python3 process",
  "node process",
  "native CPython 3.11",
  "bare exec through docker's API",
  "kubectl run, exec, delete",
];

const { values, positionals } = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    out: { type: "string" },
  },
});

function table(rows: Row[]): string {
  const digits = (n: number) => n >= 100 ? n.toFixed(0) : n.toPrecision(3);
  const lines = rows.map((row) => [
    row.what,
    ...[row.figures.min, row.figures.p50, row.figures.p99].map(digits),
    row.unit,
    String(row.figures.n),
    row.ratio ?? "",
    row.goal ? `${row.goal.met ? "met" : "MISSED"} ${row.goal.text}` : "",
  ]);
  const head = ["", "min", "p50", "p99", "", "n", "ratio of the p50", "goal"];
  const widths = head.map((_, i) =>
    Math.max(...[head, ...lines].map((line) => line[i]!.length))
  );
  return [head, ...lines].map((line) =>
    line.map((cell, i) =>
      i > 0 && i < 4 || i === 5
        ? cell.padStart(widths[i]!)
        : cell.padEnd(widths[i]!)
    ).join("  ").trimEnd()
  ).join("\n");
}

function machine(): Record<string, unknown> {
  return {
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    arch: arch(),
    kernel: release(),
    load: loadavg(),
    memoryKb: Number(
      /MemTotal:\s+(\d+)/.exec(readFileSync("/proc/meminfo", "utf8"))?.[1],
    ),
    runtime: process.versions.deno
      ? `deno ${process.versions.deno}`
      : `node ${process.versions.node}`,
    date: new Date().toISOString(),
  };
}

if (values.list) {
  for (const { name, question } of cases) {
    console.log(`case ${name}: ${question}`);
  }
  for (const peer of peers) console.log(`peer ${peer}`);
  process.exit(0);
}
const unknown = positionals.filter((name) =>
  !cases.some((benchmark) => benchmark.name === name)
);
if (unknown.length > 0) {
  console.error(
    `Cannot measure ${unknown.join(", ")}: there is no such case. See --list.`,
  );
  process.exit(2);
}

const report: {
  machine: Record<string, unknown>;
  cases: Record<string, { rows: Row[]; missing: Missing[] }>;
} = { machine: machine(), cases: {} };
console.log(
  Object.entries(report.machine).map(([k, v]) => `${k} ${v}`).join(" · "),
);
for (const benchmark of cases) {
  if (positionals.length > 0 && !positionals.includes(benchmark.name)) continue;
  console.log(`\n${benchmark.name}: ${benchmark.question}`);
  const { rows, missing = [] } = await benchmark.run(values.quick);
  console.log(table(rows));
  for (const { what, why } of missing) console.log(`missing: ${what}: ${why}`);
  report.cases[benchmark.name] = { rows, missing };
}
if (values.out !== undefined) {
  writeFileSync(values.out, JSON.stringify(report, null, 2) + "\n");
}
