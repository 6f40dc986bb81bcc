/** The command of the packed package, in an empty project, on every Node that is supported. */
import assert from "node:assert/strict";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { root } from "../../scripts/cargo.ts";
import { nodeBinary } from "../../scripts/ok/programs.ts";
import { type Ended, groupIsAlive, start } from "./process.ts";

const dir = mkdtempSync(join(tmpdir(), "mote-npx-"));
after(() => rmSync(dir, { recursive: true, force: true }));

async function run(command: string, args: string[]): Promise<number> {
  const { code, err } = await start([command, ...args], { cwd: dir, input: "" })
    .ended;
  if (code !== 0) console.error(err);
  return code ?? 1;
}

before(async () => {
  const packed = existsSync(`${root}/npm`)
    ? readdirSync(`${root}/npm`).filter((name) => name.endsWith(".tgz"))
    : [];
  assert.ok(packed.length >= 2, "run `deno task npm` first");
  const { imports } = JSON.parse(readFileSync(`${root}/deno.json`, "utf8"));
  const koffi = imports.koffi.slice("npm:koffi@".length);
  const arch = Deno.build.arch === "aarch64" ? "arm64" : "x64";
  writeFileSync(join(dir, "package.json"), '{ "private": true }');
  const code = await run("npm", [
    "install",
    "--no-audit",
    "--no-fund",
    "--prefer-offline",
    // Another platform's library is not on the registry of a working tree.
    "--omit=optional",
    // Koffi's own optional package, without which npm compiles koffi.
    `@koromix/koffi-linux-${arch}@${koffi}`,
    ...packed.map((name) => `${root}/npm/${name}`),
  ]);
  assert.equal(code, 0, "npm install");
});

/** Runs `npx mote` with that Node first on PATH, and the library of the package. */
function npx(node: string, args: string[], input = ""): Promise<Ended> {
  const path = `${dirname(node)}:${Deno.env.get("PATH")}`;
  return start(["npx", "--no-install", "mote", ...args], {
    cwd: dir,
    env: { PATH: path, MOTE_LIBRARY: "" },
    input,
  }).ended;
}

test("the file of the command can be started, and importing the package does nothing", async () => {
  const file = join(dir, "node_modules/@mote/sandbox/bin/mote.js");
  assert.ok(readFileSync(file, "utf8").startsWith("#!/usr/bin/env node\n"));
  assert.equal(statSync(file).mode & 0o111, 0o111);
  const { code, out, err } = await start([
    "node",
    "--input-type=module",
    "-e",
    "const { main } = await import('@mote/sandbox/cli'); console.log(typeof main)",
  ], { cwd: dir, input: "" }).ended;
  assert.deepEqual([code, out, err], [0, "function\n", ""]);
});

for (const version of [20, 22, 24]) {
  test(`npx mote on Node ${version}`, async () => {
    const node = await nodeBinary(version, run);
    const named = await start([node, "--version"], { input: "" }).ended;
    assert.match(named.out, new RegExp(`^v${version}\\.`));

    const { code, out, err } = await npx(
      node,
      ["run", "-c", "import sys; print(input()); sys.exit(3)"],
      "given",
    );
    assert.deepEqual([code, out], [3, "given\n"], err);
    const slow = await npx(node, ["run", "-t", "200ms", "-c", "while 1: pass"]);
    assert.equal(slow.code, 124);
    const json = await npx(node, ["run", "--json", "-c", "print(1)"]);
    assert.equal(JSON.parse(json.out).stdout, "1\n");
    const repl = await npx(node, ["repl", "-l", "javascript"], "6 * 7\n'a'\n");
    assert.deepEqual([repl.code, repl.out], [0, "42\n'a'\n"], repl.err);
    const python = await npx(node, ["repl"], "6 * 7\nexit(2)\n");
    assert.deepEqual([python.code, python.out], [2, "42\n"], python.err);
    const version_ = await npx(node, ["--version"]);
    assert.match(version_.out, /^mote \d/);
    const script = await npx(node, ["completions", "bash"]);
    assert.match(script.out, /complete -F _mote mote/);
    const wrong = await npx(node, ["rnu"]);
    assert.deepEqual([wrong.code, wrong.out], [2, ""]);
    assert.match(wrong.err, /Did you mean run\?/);
  });

  test(`Ctrl-C on Node ${version} ends the run and leaves nothing`, async () => {
    const node = await nodeBinary(version, run);
    const running = start([
      node,
      join(dir, "node_modules/.bin/mote"),
      "run",
      "-c",
      "print('begun')\nwhile True: pass",
    ], { cwd: dir, env: { MOTE_LIBRARY: "" } });
    running.child.stdin!.end();
    await running.until("out", /begun/);
    running.signal("SIGINT");
    assert.equal((await running.ended).code, 130);
    assert.equal(groupIsAlive(running.child.pid!), false);

    const waiting = start([
      node,
      join(dir, "node_modules/.bin/mote"),
      "run",
      "-c",
      "1",
    ], { cwd: dir, env: { MOTE_LIBRARY: "" } });
    await waiting.until("err", /waiting for the end/);
    waiting.signal("SIGINT");
    assert.equal((await waiting.ended).code, 130);
  });
}
