/**
 * `deno task ok`: one gate in front of every change.
 *
 * `--only NAME,NAME` runs the steps whose names begin so; `--list` names them all.
 */
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { cacheDir, cargoEnv, root } from "./cargo.ts";
import { add, none } from "./ok/counts.ts";
import type { Counts } from "./ok/counts.ts";
import { steps } from "./ok/steps.ts";
import type { Run, Step } from "./ok/steps.ts";

const logs = `${cacheDir}/ok`;

function runner(fd: number): Run {
  return (command, args, options = {}) =>
    new Promise((done, fail) => {
      const child = spawn(command, args, {
        cwd: options.cwd ?? root,
        env: {
          ...cargoEnv,
          NO_COLOR: "1",
          CARGO_TERM_COLOR: "never",
          TERM: "dumb",
          ...options.env,
        },
        stdio: ["ignore", fd, fd],
      });
      child.once("error", fail);
      child.once("close", (code) => done(code ?? 1));
    });
}

const fileName = (step: Step): string =>
  step.name.replaceAll(/[^a-z0-9]+/gi, "-");

async function runStep(step: Step): Promise<{ counts: Counts; log: string }> {
  const log = `${logs}/${fileName(step)}.log`;
  const report = `${logs}/${fileName(step)}.xml`;
  rmSync(report, { force: true });
  const fd = openSync(log, "w");
  try {
    const read = () => readFileSync(log, "utf8");
    const outcome = await step.run({ run: runner(fd), log: read, report });
    if (typeof outcome !== "boolean") return { counts: outcome, log };
    if (outcome) return { counts: { ...none, passed: 1 }, log };
    return { counts: { ...none, failed: 1, failures: [step.name] }, log };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return {
      counts: { ...none, failed: 1, failures: [`${step.name}: ${text}`] },
      log,
    };
  } finally {
    closeSync(fd);
  }
}

function duration(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

function tail(file: string): string {
  return readFileSync(file, "utf8").trimEnd().split("\n").slice(-60)
    .map((line) => `    ${line}`).join("\n");
}

function chosen(args: readonly string[]): readonly Step[] {
  const at = args.indexOf("--only");
  if (at < 0) return steps;
  const names = (args[at + 1] ?? "").split(",");
  const picked = steps.filter((step) =>
    names.some((name) => step.name.startsWith(name))
  );
  if (picked.length === 0) {
    throw new Error(`No step begins with ${names.join(" or ")}; see --list`);
  }
  return picked;
}

/** Each name once; a portable test is left out on every runtime alike. */
function list(what: string, names: readonly string[]): void {
  for (const name of new Set(names)) {
    const times = names.filter((other) => other === name).length;
    console.log(`${what}: ${name}${times > 1 ? `, ${times} times` : ""}`);
  }
}

async function gate(args: readonly string[]): Promise<boolean> {
  if (args.includes("--list")) {
    for (const step of steps) console.log(step.name);
    return true;
  }
  mkdirSync(logs, { recursive: true });
  const width = Math.max(...steps.map((step) => step.name.length));
  let total = none;
  for (const step of chosen(args)) {
    const started = performance.now();
    const { counts, log } = await runStep(step);
    const mark = counts.failed > 0 ? "FAIL" : "ok  ";
    const tests = `${counts.passed} passed` +
      (counts.failed > 0 ? `, ${counts.failed} failed` : "") +
      (counts.skipped.length > 0 ? `, ${counts.skipped.length} skipped` : "");
    const time = duration(performance.now() - started);
    console.log(
      `${mark}  ${step.name.padEnd(width)}  ${time.padStart(12)}  ${tests}`,
    );
    if (counts.failed > 0) console.log(`${tail(log)}\n    whole log: ${log}`);
    total = add(total, counts);
  }
  console.log("");
  list("skipped", total.skipped);
  list("failed", total.failures);
  const skipped = total.skipped.length > 0
    ? `, ${total.skipped.length} skipped`
    : "";
  console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
  return total.failed === 0;
}

if (!(await gate(Deno.args))) Deno.exit(1);
