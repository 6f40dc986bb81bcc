/** House rules that no linter knows. Run by `deno task ok`. */
import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { root } from "./cargo.ts";

interface Finding {
  file: string;
  line: number;
  text: string;
}

const maxCodeLines = 400;

/** Made by programs, or data: their length says nothing. */
const generated =
  /^(ffi\/abi\.ts|rust\/abi\/mote\.h|.*\.lock|.*\.json|guests\/.*\.lock)$/;

const source = /\.(ts|js|mjs|rs|c|h|py|sh|md)$/;

/** Words that must not be in the repository, spelled so that this file has none of them. */
const forbidden: readonly [RegExp, string][] = [
  [
    new RegExp(
      `regis${""}try\\.npmjs|static\\.cra${""}tes\\.io|index\\.cra${""}tes\\.io`,
    ),
    "host of a registry",
  ],
  [
    new RegExp(
      `files\\.python${""}hosted|proxy\\.gol${""}ang|pypi\\.o${""}rg`,
    ),
    "host of a registry",
  ],
  [new RegExp(`\\b(FIX${""}ME|XX${""}X|HA${""}CK)\\b`), "unfinished work"],
];

const machinePath = /(^|["'`(= ])\/(work|root|home\/[a-z]{3,})\//;

const usingStatement = /^\s*(await )?using [\w$]+ =/;
const fixedSleep =
  /(setTimeout|sleep|delay)\(\s*(resolve|done|wake|r)?\s*,?\s*\d{2,}[\d_]*\s*\)/;

/** Files whose own code must not wait; programs for guests may. */
const waits = /^(?!tests\/conformance\/programs\/)(tests\/.*\.ts|.*_test\.ts)$/;

function tracked(): string[] {
  const listed = execFileSync(
    "git",
    ["ls-files", "-co", "--exclude-standard"],
    {
      cwd: root,
      encoding: "utf8",
    },
  );
  return listed.split("\n").filter((name) =>
    name !== "" && statSync(`${root}/${name}`).isFile()
  );
}

/** Lines that hold more than blanks or a comment. */
function codeLines(file: string, lines: readonly string[]): number {
  const comment = /\.(py|sh)$/.test(file) ? /^\s*#/ : /^\s*(\/\/|\/\*|\*)/;
  return lines.filter((line) => line.trim() !== "" && !comment.test(line))
    .length;
}

function shipped(file: string): boolean {
  return /^(mod|testing)\.ts$|^(src|ffi)\//.test(file) &&
    !file.endsWith("_test.ts");
}

function inspect(file: string): Finding[] {
  const found: Finding[] = [];
  const lines = readFileSync(`${root}/${file}`, "utf8").split("\n");
  const report = (line: number, text: string) =>
    found.push({ file, line: line + 1, text });

  if (/(^|\/)(utils?|helpers?|misc|common)\.(ts|rs|py)$/.test(file)) {
    report(0, "name says nothing about what is in it");
  }
  if (!generated.test(file) && !file.endsWith(".md")) {
    const count = codeLines(file, lines);
    if (count > maxCodeLines) {
      report(0, `${count} lines of code; ${maxCodeLines} is the most`);
    }
  }
  lines.forEach((line, index) => {
    if (!/\.(lock|json)$/.test(file)) {
      for (const [pattern, what] of forbidden) {
        if (pattern.test(line)) report(index, `${what}: ${line.trim()}`);
      }
    }
    // Attacks name whatever a machine may have.
    if (!file.startsWith("guests/hostile/") && machinePath.test(line)) {
      report(index, `path of one machine: ${line.trim()}`);
    }
    if (shipped(file) && usingStatement.test(line)) {
      report(
        index,
        "`using` is a syntax error on Node 20 and 22: use try/finally",
      );
    }
    if (waits.test(file) && fixedSleep.test(line)) {
      report(index, `waits for a fixed time: ${line.trim()}`);
    }
  });
  return found;
}

const findings = tracked().filter((file) => source.test(file)).flatMap(inspect);
for (const { file, line, text } of findings) {
  console.log(`${file}:${line} ${text}`);
}
if (findings.length > 0) Deno.exit(1);
