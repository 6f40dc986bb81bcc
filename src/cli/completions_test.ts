import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { surface } from "../../tests/cli/surface.ts";
import { runCommand } from "./run_command.ts";

const has = (program: string) =>
  spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0;

/** A folder with a script for the shell, a folder `out` and a file `program.py`. */
async function inFolder(
  shell: string,
  body: (dir: string, script: string) => unknown,
): Promise<void> {
  const to = surface();
  assert.equal(await runCommand(["completions", shell], to), 0);
  const dir = mkdtempSync(join(tmpdir(), "mote-complete-"));
  const script = join(dir, `mote.${shell}`);
  try {
    writeFileSync(script, to.text.out);
    writeFileSync(join(dir, "program.py"), "");
    execFileSync("mkdir", [join(dir, "out")]);
    await body(dir, script);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** What has been typed, and what is offered for its last word. */
const cases: [words: string[], offered: string[]][] = [
  [["r"], ["repl", "run"]],
  [["guest", ""], ["build", "list", "prune", "verify"]],
  [["guest", "build", "--ti"], ["--timeout"]],
  [["run", "--la"], ["--lang"]],
  [["run", "--lang", "py"], ["python"]],
  [["run", "-l", "java"], ["java", "javascript"]],
  [["repl", "-l", ""], ["javascript", "python"]],
  [["run", "-c", "probe", "--no-s"], ["--no-stdin"]],
  [["run", "prog"], ["program.py"]],
  [["run", "--artifacts", "o"], ["out"]],
  [["run", "--copy", "prog"], ["program.py"]],
  [["completions", ""], ["bash", "fish", "zsh"]],
  [["help", "ex"], ["exit-codes", "explain"]],
];

test("bash completes commands, options and values", () =>
  inFolder("bash", (dir, script) => {
    const asked = [
      ...cases,
      // Bash takes an equals sign for a word.
      [["run", "--lang", "=", "ru"], ["ruby"]] as const,
      [["run", "--guest", "="], ["linux", "micro"]] as const,
      [["run", "-c", "1", "--", "prog"], ["program.py"]] as const,
    ];
    const lines = asked.map(([words]) =>
      `COMP_WORDS=(mote ${
        words.map((word) => `'${word}'`).join(" ")
      }); COMP_CWORD=${words.length}; COMPREPLY=(); _mote; echo "\${COMPREPLY[*]}"`
    );
    const { stdout, stderr } = spawnSync("bash", [
      "--norc",
      "-c",
      `set -u; source '${script}'; complete -p mote >/dev/null || exit 1\n${
        lines.join("\n")
      }`,
    ], { cwd: dir, encoding: "utf8" });
    assert.equal(stderr, "");
    const offered = stdout.split("\n").map((line) =>
      line.split(" ").sort().join(" ")
    );
    asked.forEach(([words, wanted], index) =>
      assert.equal(offered[index], wanted.join(" "), words.join(" "))
    );
  }));

const fish = has("fish");
test("fish completes commands, options and values", {
  skip: fish ? false : "there is no fish on PATH",
}, () =>
  inFolder("fish", (dir, script) => {
    const lines = cases.map(([words]) =>
      `set -l all (complete -C 'mote ${
        words.join(" ")
      }' | string split -f 1 \\t | string trim -r -c /); printf '%s\\n' "$all"`
    );
    const { stdout, stderr } = spawnSync("fish", [
      "--no-config",
      "-c",
      `source '${script}'\n${lines.join("\n")}`,
    ], { cwd: dir, encoding: "utf8" });
    assert.equal(stderr, "");
    const offered = stdout.split("\n").map((line) =>
      line.split(" ").sort().join(" ")
    );
    cases.forEach(([words, wanted], index) =>
      assert.equal(offered[index], wanted.join(" "), words.join(" "))
    );
  }));

const zsh = has("zsh") && has("script");
test("zsh completes commands, options and values", {
  skip: zsh ? false : "there is no zsh, or no script, on PATH",
}, () =>
  inFolder("zsh", async (dir, script) => {
    // The line editor works on a terminal only.
    const child = spawn("script", ["-qec", "zsh -f -i", "/dev/null"], {
      cwd: dir,
      env: { ...process.env, TERM: "xterm" },
      stdio: ["pipe", "pipe", "inherit"],
    });
    const ended = new Promise((done) => child.once("close", done));
    let seen = "";
    child.stdout.setEncoding("utf8").on("data", (text) => seen += text);
    const until = async (part: string) => {
      const late = Date.now() + 20_000;
      while (!seen.includes(part)) {
        assert.ok(Date.now() < late, `no ${part} in ${JSON.stringify(seen)}`);
        await new Promise((done) => setTimeout(done));
      }
      seen = "";
    };
    try {
      child.stdin.write(
        `PS1='%%'; autoload -Uz compinit; compinit -u -D; source '${script}'; print LOA''DED\r`,
      );
      await until("LOADED");
      // Those that have one answer: it is put on the line.
      const single = cases.filter(([, offered]) => offered.length === 1);
      for (const [words, [offered]] of single) {
        child.stdin.write(`mote ${words.join(" ")}\t`);
        await until(offered!);
        child.stdin.write("\x15");
      }
    } finally {
      child.stdin.write("\x15exit\r");
      child.stdin.end();
      await ended;
    }
  }));
