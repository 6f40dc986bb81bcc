/**
 * `deno task bench [--quick] [--list] [--out FILE] [--html FILE] [--budgets] [CASE…]`: measures Mote next to host
 * processes and to what one would take instead, of the same run. `--compare A.json B.json` says what changed.
 */
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import type { Report } from "./bench.ts";
import { brokenBudgets } from "./budgets.ts";
import { cases } from "./cases.ts";
import { compare } from "./compare.ts";
import { machine } from "./machine.ts";
import { peers } from "./peers/peers.ts";
import { changesTable, rowsTable } from "./table.ts";

const { values, positionals } = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    compare: { type: "boolean", default: false },
    budgets: { type: "boolean", default: false },
    out: { type: "string" },
    html: { type: "string" },
  },
});

function fail(text: string): never {
  console.error(text);
  process.exit(2);
}

function list(): void {
  for (const { name, question } of cases) {
    console.log(`case ${name}: ${question}`);
  }
  for (const { name, lang } of peers) console.log(`peer ${name}, ${lang}`);
}

function compareFiles(files: readonly string[]): void {
  if (files.length !== 2) {
    fail("Cannot compare: give two files that --out wrote.");
  }
  const [a, b] = files.map((file): Report =>
    JSON.parse(readFileSync(file, "utf8"))
  );
  const { changes, onlyInOne } = compare(a!, b!);
  const changed = changes.filter(({ beyondNoise }) => beyondNoise);
  if (changed.length > 0) console.log(changesTable(changed));
  console.log(
    `${changes.length - changed.length} figures did not change beyond noise`,
  );
  for (const what of onlyInOne) console.log(`only in one: ${what}`);
}

async function measure(): Promise<Report> {
  const unknown = positionals.filter((name) =>
    !cases.some((one) => one.name === name)
  );
  if (unknown.length > 0) {
    fail(
      `Cannot measure ${
        unknown.join(", ")
      }: there is no such case. See --list.`,
    );
  }
  const report: Report = { machine: machine(), cases: {} };
  console.log(
    Object.entries(report.machine).map(([k, v]) => `${k} ${v}`).join(" · "),
  );
  for (const benchmark of cases) {
    if (positionals.length > 0 && !positionals.includes(benchmark.name)) {
      continue;
    }
    console.log(`\n${benchmark.name}: ${benchmark.question}`);
    const answers = await benchmark.run(values.quick);
    console.log(rowsTable(answers.rows));
    for (const { what, why } of answers.missing ?? []) {
      console.log(`missing: ${what}: ${why}`);
    }
    report.cases[benchmark.name] = answers;
  }
  return report;
}

if (values.list) list();
else if (values.compare) compareFiles(positionals);
else {
  const report = await measure();
  if (values.out !== undefined) {
    writeFileSync(values.out, `${JSON.stringify(report, null, 2)}\n`);
  }
  if (values.html !== undefined) {
    const { page } = await import("./report/page.ts");
    writeFileSync(values.html, await page(report));
  }
  if (values.budgets) {
    const broken = brokenBudgets(report);
    for (const line of broken) console.error(`over budget: ${line}`);
    if (broken.length > 0) process.exit(1);
    console.log("\nevery budget is kept");
  }
}
