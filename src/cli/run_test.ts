import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { test } from "node:test";
import { type Looks, surface } from "../../tests/cli/surface.ts";
import { createMemorySession } from "../memory_session.ts";
import { type Open, type RunFlags, runOn } from "./run.ts";
import { runCommand } from "./run_command.ts";
import { printable } from "./terminal.ts";

// The double has no languages; all else is a session as any other.
const open: Open = ({ lang: _, ...options }) => createMemorySession(options);

async function run(
  lines: unknown[][],
  flags: Partial<RunFlags> = {},
  looks: Looks = {},
  args: string[] = [],
) {
  const to = surface(looks);
  const code = await runOn(to, undefined, args, {
    stdin: true,
    code: lines.map((line) => JSON.stringify(line)).join("\n"),
    ...flags,
  }, open);
  return { code, ...to.text };
}

async function inFolder(
  body: (dir: string) => Promise<void>,
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "mote-run-"));
  try {
    await body(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

test("output is passed on as it is, and the exit code is the program's", async () => {
  const { code, out, err } = await run([
    ["print", "one\x1b[1m"],
    ["eprint", "two"],
    ["exit", 42],
  ]);
  assert.deepEqual([code, out, err], [42, "one\x1b[1m\n", "two\n"]);
});

test("standard input goes to the program, but not from a terminal or with --no-stdin", async () => {
  const lines = [["stdin"]];
  assert.equal((await run(lines, {}, { input: "given" })).out, "given");
  assert.equal((await run(lines)).out, "");
  const closed = await run(lines, { stdin: false }, { input: "given" });
  assert.equal(closed.out, "");
});

test("the program is text, a file or standard input", () =>
  inFolder(async (dir) => {
    const file = join(dir, "program.py");
    writeFileSync(file, '["print", "from a file"]\n["args"]');
    const to = surface();
    assert.equal(await runOn(to, file, ["a", "-b"], { stdin: true }, open), 0);
    assert.equal(to.text.out, 'from a file\n["a","-b"]\n');
    for (const name of [undefined, "-"]) {
      const piped = surface({ input: '["print", "piped"]\n["stdin"]' });
      assert.equal(await runOn(piped, name, [], { stdin: true }, open), 0);
      assert.equal(piped.text.out, "piped\n");
    }
    // After -c every word is an argument.
    const given = await run([["args"]], {}, {}, []);
    assert.equal(given.out, "[]\n");
  }));

test("the language is that of the ending, unless it is named", () =>
  inFolder(async (dir) => {
    const seen: unknown[] = [];
    const noting: Open = (options) => {
      seen.push(options.lang);
      return open(options);
    };
    for (const name of ["a.py", "a.mjs", "a.TS", "a.R", "a.cc", "a.sh", "x"]) {
      writeFileSync(join(dir, name), '["exit", 0]');
      const flags = {
        stdin: true,
        ...(name === "x" && { lang: "go" as const }),
      };
      await runOn(surface(), join(dir, name), [], flags, noting);
    }
    assert.deepEqual(seen, [
      "python",
      "javascript",
      "typescript",
      "r",
      "cpp",
      "bash",
      "go",
    ]);
    const to = surface();
    writeFileSync(join(dir, "a.unknown"), "");
    const unknown = join(dir, "a.unknown");
    assert.equal(await runOn(to, unknown, [], { stdin: true }, open), 120);
    assert.match(to.text.err, /INVALID_OPTION.*--lang/);
  }));

test("what keeps a program from its end has exit codes of its own", async () => {
  const loop = [["print", "so far"], ["loop"]];
  const slow = await run(loop, { timeout: "50ms" });
  assert.deepEqual([slow.code, slow.out], [124, "so far\n"]);
  assert.match(slow.err, /^TIMED_OUT: .*\nOn the command line: --timeout/);
  assert.equal((await run([["memory"]])).code, 123);
  assert.equal((await run([["flood"]], { outputLimit: "8k" })).code, 123);
  assert.equal((await run([], { timeout: "soon" })).code, 120);
  assert.equal((await run([], { memory: "much" })).code, 120);
  assert.equal((await run([], { image: "python" })).code, 120);
  assert.equal((await run([], { allowRead: ["/mnt"] })).code, 120);
  assert.equal((await run([], { allowEnv: "A,,B" })).code, 120);
  assert.equal((await run([], { copy: ["a:b:"] })).code, 120);
  const missing = await runOn(surface(), "no.py", [], { stdin: true }, open);
  assert.equal(missing, 120);
  const nothing = await runOn(surface(), undefined, [], { stdin: true }, open);
  assert.equal(nothing, 120);
});

test("a wrong option of run ends with 120, as its own help does with 0", async () => {
  const wrong = surface();
  assert.equal(await runCommand(["run", "--tiemout", "3"], wrong), 120);
  assert.match(wrong.text.err, /--timeout/);
  const help = surface();
  assert.equal(await runCommand(["run", "--help"], help), 0);
  assert.match(help.text.out, /Examples:\n {2}mote run -c/);
});

test("hosts of --allow-net follow an equals sign only", async () => {
  const { withBareNet, sessionOptions } = await import("./session_options.ts");
  assert.deepEqual(
    withBareNet(["run", "--allow-net", "a.py", "--", "--allow-net"]),
    ["run", "--allow-net=", "a.py", "--", "--allow-net"],
  );
  const of = (allowNet: string) =>
    sessionOptions({ allowNet }, "python").rights?.net;
  assert.equal(of(""), true);
  assert.deepEqual(of("a.example:443, *.b.example"), [
    "a.example:443",
    "*.b.example",
  ]);
});

test("options reach the session under its names", async () => {
  const { sessionOptions } = await import("./session_options.ts");
  assert.deepEqual(
    sessionOptions({
      backend: "docker",
      image: "python:3.13",
      timeout: "1.5",
      cpu: "2m",
      cpus: "0.5",
      memory: "2g",
      outputLimit: "1m",
      allowRead: ["/mnt/a=/srv/a=b"],
      allowWrite: ["/mnt/b=out"],
      allowEnv: "LANG",
      env: ["A=1=2"],
      with: ["numpy"],
    }, "python"),
    {
      lang: "python",
      backend: "docker",
      image: "python:3.13",
      dockerfile: undefined,
      guest: undefined,
      guestBinaryPath: undefined,
      acceptEmulatedHypervisor: undefined,
      kubeNamespace: undefined,
      libraries: ["numpy"],
      verbose: undefined,
      rights: {
        env: ["LANG"],
        read: { "/mnt/a": "/srv/a=b" },
        write: { "/mnt/b": "out" },
      },
      limits: {
        timeMs: 1_500,
        cpuMs: 120_000,
        cpus: 0.5,
        memoryMb: 2_048,
        outputBytes: 1_048_576,
      },
      env: { A: "1=2" },
    },
  );
});

test("--json prints one object and nothing else", async () => {
  const { code, out, err } = await run([
    ["print", "hi"],
    ["eprint", "there"],
    ["write", "made.csv", "1,2"],
    ["exit", 3],
  ], { json: true });
  assert.deepEqual([code, err], [3, ""]);
  const object = JSON.parse(out);
  assert.deepEqual(Object.keys(object), [
    "exitCode",
    "stdout",
    "stderr",
    "artifacts",
    "timings",
    "receipt",
  ]);
  assert.deepEqual(
    [object.exitCode, object.stdout, object.stderr, object.artifacts],
    [3, "hi\n", "there\n", [
      { path: "made.csv", size: 3, mediaType: "text/csv" },
    ]],
  );
  const acting = await run([["print", "\x1b[2J\x9b2J\x7f"]], { json: true });
  assert.equal(acting.out, `${printable(acting.out.trimEnd())}\n`);
  assert.equal(JSON.parse(acting.out).stdout, "\x1b[2J\x9b2J\x7f\n");
  const bytes = await run([["write-bytes", [255, 65]]], { json: true });
  const { stdoutBase64 } = JSON.parse(bytes.out);
  assert.equal(stdoutBase64, btoa("\xffA"));
});

test("--json says what went wrong, with what came out until then", async () => {
  const slow = await run([["print", "so far"], ["loop"]], {
    json: true,
    timeout: "50ms",
  });
  assert.deepEqual([slow.code, slow.err], [124, ""]);
  const { error, result } = JSON.parse(slow.out);
  assert.equal(error.code, "TIMED_OUT");
  assert.equal(result.stdout, "so far\n");
  const wrong = await run([], { json: true, timeout: "soon" });
  assert.deepEqual([wrong.code, wrong.err], [120, ""]);
  assert.equal(JSON.parse(wrong.out).error.code, "INVALID_OPTION");
});

test("files go in, and what was made comes out", () =>
  inFolder(async (dir) => {
    mkdirSync(join(dir, "tables"));
    writeFileSync(join(dir, "tables", "a.csv"), "a");
    writeFileSync(join(dir, "b.csv"), "b");
    const artifacts = join(dir, "out");
    const { code, out, err } = await run([
      ["read", "in/a.csv"],
      ["read", "b.csv"],
      ["mkdir", "deep/er"],
      ["write", "deep/er/c.txt", "c"],
    ], {
      copy: [`${join(dir, "tables")}:in`, join(dir, "b.csv")],
      artifacts,
    });
    assert.deepEqual([code, out], [0, "ab"]);
    assert.match(err, /1 of 1 artifacts written/);
    assert.equal(readFileSync(join(artifacts, "deep/er/c.txt"), "utf8"), "c");

    const again = await run([["write", "deep", "d"]], { artifacts });
    assert.equal(again.code, 120);
    assert.match(again.err, /not empty.*--overwrite/);
  }));

test("files of a run that was ended come out too", () =>
  inFolder(async (dir) => {
    const artifacts = join(dir, "out");
    const lines = [["write", "half.txt", "half"], ["loop"]];
    const { code } = await run(lines, { artifacts, timeout: "50ms" });
    assert.equal(code, 124);
    assert.deepEqual(readdirSync(artifacts), ["half.txt"]);
  }));

test("no name of the program's leads out of the folder, or acts on a terminal", () =>
  inFolder(async (dir) => {
    const artifacts = join(dir, "out");
    const outside = join(dir, "outside");
    mkdirSync(artifacts);
    mkdirSync(outside);
    symlinkSync("../outside", join(artifacts, "link"));
    mkdirSync(join(artifacts, "folder"));
    const { code, err } = await run([
      ["mkdir", "link"],
      ["write", "link/a", "a"],
      ["write", "folder", "b"],
      ["write", "c\x1b]0;c\x07", "c"],
      ["write", "fine", "d"],
      ["symlink", "fine", "points"],
    ], { artifacts, overwrite: true });
    assert.equal(code, 125);
    assert.match(err, /1 of 4 artifacts written/);
    assert.equal(err.match(/^PATH_REFUSED: /gm)?.length, 3);
    assert.ok(!err.includes("\x1b") && !err.includes("\x07"));
    assert.deepEqual(readdirSync(outside), []);
    assert.deepEqual(readdirSync(artifacts).sort(), ["fine", "folder", "link"]);
    assert.ok(!existsSync(join(artifacts, "link/a")));
  }));

test("a slow reader holds the program back", async () => {
  const to = surface();
  let release = () => {};
  to.gate = new Promise((resolve) => release = resolve);
  let ended = false;
  const code = runOn(to, undefined, [], {
    stdin: true,
    code: '["repeat", "x", 16777216]',
    outputLimit: "64m",
  }, open).finally(() => ended = true);
  // Far more turns than an unhindered run takes.
  for (let turn = 0; turn < 300; turn++) {
    await new Promise((resolve) => setTimeout(resolve));
  }
  assert.equal(ended, false);
  assert.ok(to.text.out.length <= 1_048_576, `${to.text.out.length}`);
  release();
  assert.equal(await code, 0);
  assert.equal(to.text.out.length, 16_777_216);
});

test("Ctrl-C ends the run and the reading of standard input", async () => {
  for (const input of [false, true]) {
    const stop = new AbortController();
    const to = {
      ...surface({ signal: stop.signal }),
      ...(input && {
        in: {
          isTerminal: false,
          stream: () => new Readable({ read() {} }),
        },
      }),
    };
    const code = runOn(to, undefined, [], {
      stdin: true,
      code: '["loop"]',
    }, open);
    await new Promise((resolve) => setTimeout(resolve));
    stop.abort("SIGINT");
    assert.equal(await code, 130);
    assert.equal(to.text.err, "");
  }
});
