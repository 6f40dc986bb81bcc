/** Counts out of what test runners write for programs to read. */
import { existsSync, readFileSync } from "node:fs";

/** How the tests of one step went. */
export interface Counts {
  passed: number;
  failed: number;
  /** Names of tests that were left out, each with its reason where the report gives one. */
  skipped: string[];
  /** Names of tests that failed. */
  failures: string[];
}

export const none: Counts = { passed: 0, failed: 0, skipped: [], failures: [] };

export function add(a: Counts, b: Counts): Counts {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: [...a.skipped, ...b.skipped],
    failures: [...a.failures, ...b.failures],
  };
}

const entities: Record<string, string> = {
  lt: "<",
  gt: ">",
  amp: "&",
  quot: '"',
  apos: "'",
};

const once = (text: string): string =>
  text.replace(/&(lt|gt|amp|quot|apos);/g, (_, name) => entities[name] ?? "");

/** Node escapes names twice. */
const unescape = (text: string): string => once(once(text));

/** The JUnit report of `deno test` or `node --test`. */
export function fromJunit(xml: string): Counts {
  const counts: Counts = { passed: 0, failed: 0, skipped: [], failures: [] };
  for (
    const [, attributes, body] of xml.matchAll(
      /<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g,
    )
  ) {
    const name = unescape(/\bname="([^"]*)"/.exec(attributes!)?.[1] ?? "?");
    if (/<skipped/.test(body ?? "")) {
      const reason = unescape(
        /<skipped[^>]*message="([^"]*)"/.exec(body!)?.[1] ?? "",
      );
      counts.skipped.push(
        reason && !name.includes(reason) ? `${name} (${reason})` : name,
      );
    } else if (/<(failure|error)\b/.test(body ?? "")) {
      counts.failed++;
      counts.failures.push(name);
    } else {
      counts.passed++;
    }
  }
  return counts;
}

/** The output of `cargo test`: one line a test, in a form that libtest keeps stable. */
export function fromCargo(output: string): Counts {
  const counts: Counts = { passed: 0, failed: 0, skipped: [], failures: [] };
  for (
    const [, name, result] of output.matchAll(
      /^test (.+?) \.\.\. (ok|FAILED|ignored)/gm,
    )
  ) {
    if (result === "ok") counts.passed++;
    else if (result === "ignored") counts.skipped.push(name!);
    else {
      counts.failed++;
      counts.failures.push(name!);
    }
  }
  return counts;
}

/** Reads a JUnit report; a runner that died before it wrote one, or failed outside of a test, is a failure. */
export function counted(code: number, file: string, name: string): Counts {
  const counts = existsSync(file)
    ? fromJunit(readFileSync(file, "utf8"))
    : { passed: 0, failed: 0, skipped: [], failures: [] };
  if (code !== 0 && counts.failed === 0) {
    return {
      ...counts,
      failed: 1,
      failures: [`${name} ended with exit code ${code}`],
    };
  }
  if (counts.passed + counts.failed + counts.skipped.length === 0) {
    return { ...counts, failed: 1, failures: [`${name} ran no test`] };
  }
  return counts;
}
