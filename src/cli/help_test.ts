import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { surface } from "../../tests/cli/surface.ts";
import type { SandboxErrorCode } from "../errors.ts";
import { SandboxError } from "../errors.ts";
import { commands } from "./commands.ts";
import { flat, treeOf } from "./completion_tree.ts";
import { Exit, RunExit, runExitOf } from "./exit.ts";
import { topics } from "./help.ts";
import { runCommand } from "./run_command.ts";

const document = readFileSync(
  fileURLToPath(new URL("../../docs/cli.md", import.meta.url)),
  "utf8",
);

async function help(...words: string[]) {
  const to = surface();
  const code = await runCommand(["help", ...words], to);
  return { code, ...to.text };
}

function tree() {
  const program = new Command("mote").helpCommand(false);
  for (const add of commands) add(program, () => {});
  return flat(treeOf(program));
}

test("every command has help with examples, by either way", async () => {
  for (const { path, commands } of tree().slice(1)) {
    const words = path.slice(1);
    const { code, out, err } = await help(...words);
    assert.deepEqual([code, err], [0, ""]);
    assert.ok(out.startsWith(`Usage: ${path.join(" ")}`), out);
    if (commands.length === 0) assert.match(out, /\nExamples:\n {2}/, out);
    const other = surface();
    await runCommand([...words, "--help"], other);
    assert.equal(other.text.out, out);
  }
});

test("topics say what the code does, and so does the document", async () => {
  const said = (await help("exit-codes")).out;
  assert.equal(said, topics["exit-codes"]);
  for (const code of [...Object.values(Exit), ...Object.values(RunExit)]) {
    assert.match(said, new RegExp(`^ *${code}  `, "m"));
    assert.match(document, new RegExp(`^\\| ${code} \\|`, "m"));
  }
  // Each error code stands below the exit code that it gives.
  const parts = said.split(/^ {2}(?=12\d)/m).slice(1);
  const named = parts.flatMap((part) =>
    (part.match(/\b[A-Z]{4,}_[A-Z_]+\b|\bUNSUPPORTED\b/g) ?? []).map((
      name,
    ) => ({
      name: name as SandboxErrorCode,
      exit: Number(part.slice(0, 3)),
    }))
  );
  assert.equal(named.length, 11);
  for (const { name, exit } of named) {
    assert.equal(runExitOf(new SandboxError(name, "")), exit, name);
  }
  assert.match((await help("environment")).out, /MOTE_CACHE_DIR/);
});

test("the document names every command and option", () => {
  for (const { path, options } of tree().slice(1)) {
    assert.ok(document.includes(`mote ${path.slice(1).join(" ")}`), `${path}`);
    for (const { long } of options) {
      if (long === "--help") continue;
      assert.ok(document.includes(`\`${long}`), `${path} ${long}`);
    }
  }
});

test("help on what is not there says what is", async () => {
  const { code, err } = await help("guest", "biuld");
  assert.equal(code, 2);
  assert.match(err, /run, repl, probe.*exit-codes/);
});

test("the version is that of the package", async () => {
  const to = surface();
  assert.equal(await runCommand(["--version"], to), 0);
  assert.match(to.text.out, /^mote \d+\.\d+\.\d+\n$/);
});
