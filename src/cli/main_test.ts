import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  type Fakes,
  isAlive,
  layFakes,
} from "../../tests/guests/fake_tools.ts";
import { main } from "./main.ts";
import { Meter } from "./meter.ts";
import { runCommand } from "./run_command.ts";
import type { Surface } from "./terminal.ts";

interface Seen extends Surface {
  text: { out: string; err: string };
}

function surface(isTerminal = false): Seen {
  const text = { out: "", err: "" };
  const stream = (name: "out" | "err") => ({
    isTerminal,
    columns: 60,
    write: (more: string) => void (text[name] += more),
  });
  return {
    text,
    out: stream("out"),
    err: stream("err"),
    signal: new AbortController().signal,
    colours: true,
  };
}

async function run(
  args: string[],
  to = surface(),
): Promise<{ code: number; out: string; err: string }> {
  const code = await runCommand(args, to);
  return { code, ...to.text };
}

/** The environment of the fakes for as long as `body` takes. */
async function withFakes(body: (fakes: Fakes) => Promise<void>): Promise<void> {
  const fakes = layFakes();
  const own = { ...fakes.env, MOTE_CACHE_DIR: fakes.cacheDir };
  const before = Object.keys(own).map((name) =>
    [name, process.env[name]] as const
  );
  Object.assign(process.env, own);
  try {
    await body(fakes);
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    fakes.remove();
  }
}

test("help is on stdout and ends with 0", async () => {
  for (const args of [["--help"], ["guest", "-h"], ["guest", "build", "-h"]]) {
    const { code, out, err } = await run(args);
    assert.deepEqual([code, err], [0, ""]);
    assert.match(out, /^Usage: mote/);
  }
});

test("a wrong command line ends with 2 and says what is wrong", async () => {
  const wrong: [string[], RegExp][] = [
    [[], /Usage: mote/],
    [["guest"], /Usage: mote guest/],
    [["guest", "bild"], /unknown command 'bild'.*\n.*build/],
    [["guest", "build", "--tiemout", "3"], /unknown option.*\n.*--timeout/],
    [["guest", "build", "a", "b"], /too many arguments/],
    [["guest", "build", "--timeout", "0"], /1 to 7200/],
    [["guest", "build", "--target", "riscv"], /x86_64-hyperlight-none/],
    [["guest", "prune", "--older-than", "soon"], /30d/],
  ];
  for (const [args, says] of wrong) {
    const { code, out, err } = await run(args);
    assert.deepEqual([code, out], [2, ""], args.join(" "));
    assert.match(err, says);
  }
});

test("a receipt is put into words, whatever a guest wrote into it", async () => {
  const dir = mkdtempSync(join(tmpdir(), "mote-explain-"));
  try {
    const receipt = {
      backend: "wasm",
      lang: "python",
      imageSha256: "ab".repeat(32),
      limits: { timeMs: 30_000, memoryMb: 256, cpuMs: null },
      rights: { net: ["example.com:443"] },
      libraries: [{ name: "attrs", version: "25.4.0" }],
      toolCalls: [{ name: "add", ms: 1, ok: true }, {
        name: "add",
        ms: 2,
        ok: false,
      }],
      egress: [
        {
          method: "GET",
          url: "https://example.com/",
          status: 200,
          address: "192.0.2.1",
          ms: 3,
          sentBytes: 0,
          receivedBytes: 9,
        },
        {
          method: "GET",
          url: "https://evil\u001b[2J/",
          refused: "rights.net does not name it",
        },
      ],
    };
    const file = join(dir, "receipt.json");
    writeFileSync(file, JSON.stringify({ exitCode: 0, receipt }));
    const { code, out } = await run(["explain", file]);
    assert.equal(code, 0);
    assert.match(out, /^Ran python in wasm\.$/m);
    assert.match(out, /30000 ms of time, 256 MiB of memory$/m);
    assert.match(out, /^Right net: \["example\.com:443"\]$/m);
    assert.match(
      out,
      /^Tool add: called 2 times, 3\.0 ms, 1 without success$/m,
    );
    assert.match(
      out,
      /^Request GET https:\/\/example\.com\/: 200 from 192\.0\.2\.1, /m,
    );
    assert.match(out, /REFUSED: rights\.net does not name it$/m);
    assert.ok(!out.includes("\u001b"));
    writeFileSync(file, "[1]");
    assert.equal((await run(["explain", file])).code, 2);
    assert.equal((await run(["explain", join(dir, "none")])).code, 1);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("colours are for terminals only", async () => {
  const wrong = ["guest", "bild"];
  assert.ok(!(await run(wrong)).err.includes("\x1b"));
  assert.ok((await run(wrong, surface(true))).err.includes("\x1b["));
  const plain = { ...surface(true), colours: false };
  assert.ok(!(await run(wrong, plain)).err.includes("\x1b"));
});

test("a guest is built, listed, verified and pruned", () =>
  withFakes(async ({ crate, dir }) => {
    const copy = join(dir, "copy.elf");
    const built = await run(["guest", "build", crate, "--out", copy]);
    assert.equal(built.code, 0, built.err);
    assert.equal(built.out, `${copy}\n`);
    assert.match(built.err, /built guest hello, .+Hyperlight 0\.18\.0, sha256/);
    assert.ok(existsSync(copy));
    const found = await run(["guest", "build", crate]);
    assert.match(found.err, /found guest hello/);
    assert.ok(existsSync(found.out.trim()));

    const listed = await run(["guest", "list"]);
    assert.match(listed.out, /^KIND +NAME +HASH +SIZE +AGE +WHAT\n/);
    assert.match(listed.out, /^built +hello +[0-9a-f]{12} /m);
    const json = JSON.parse((await run(["guest", "list", "--json"])).out);
    assert.ok(json.some(({ name }: { name: string }) => name === "hello"));

    assert.equal((await run(["guest", "verify"])).code, 0);
    const dry = await run(["guest", "prune", "--all", "--dry-run"]);
    assert.match(dry.err, /would remove 1/);
    const pruned = await run(["guest", "prune", "--all"]);
    assert.match(pruned.out, /^built hello/);
  }));

test("a failed build ends with 1, a missing tool with 3", () =>
  withFakes(async (fakes) => {
    fakes.program("fail");
    const failed = await run(["guest", "build", fakes.crate]);
    assert.deepEqual([failed.code, failed.out], [1, ""]);
    assert.match(failed.err, /^GUEST_BUILD_FAILED: Cannot build guest hello/m);
    assert.match(failed.err, /error\[E0425\]/);
    process.env.PATH = join(fakes.dir, "nothing");
    const missing = await run(["guest", "build", fakes.crate]);
    assert.equal(missing.code, 3);
    assert.match(missing.err, /^TOOLCHAIN_MISSING: .*rustc.*clang.*lld/m);
  }));

test("what a compiler prints cannot act on the terminal", () =>
  withFakes(async (fakes) => {
    fakes.program("fail");
    fakes.tool(
      "cargo-hyperlight",
      `[ "$2" = --version ] && { echo "cargo-hyperlight 0.1.14"; exit; }
printf 'error: \\033]0;title\\007\\n' >&2; exit 1`,
    );
    const { err } = await run(["guest", "build", fakes.crate]);
    assert.match(err, /error:.*title/);
    assert.ok(!err.includes("\x1b") && !err.includes("\x07"));
  }));

test("Ctrl-C ends a build with all it started, and the command with 130", () =>
  withFakes(async (fakes) => {
    fakes.program("slow");
    const file = fileURLToPath(new URL("./main.ts", import.meta.url));
    const child = spawn(
      process.execPath,
      ["run", "-A", "--no-check", file, "guest", "build", fakes.crate],
      { env: process.env, stdio: "ignore" },
    );
    const ended = new Promise((resolve) => child.on("close", resolve));
    const sleeper = join(fakes.dir, "sleeper");
    const look = async (seen: () => boolean) => {
      while (!seen()) await new Promise((resolve) => setTimeout(resolve));
    };
    await look(() => existsSync(sleeper) && readFileSync(sleeper).length > 1);
    const pid = Number(readFileSync(sleeper, "utf8"));
    // Not child.kill(), after which Deno tells no exit code.
    process.kill(child.pid!, "SIGINT");
    assert.equal(await ended, 130);
    await look(() => !isAlive(pid));
    assert.equal(existsSync(join(fakes.cacheDir, "elf/built")), false);
  }));

test("main leaves no listener for signals behind", async () => {
  const before = process.listenerCount("SIGINT");
  const write = process.stdout.write;
  process.stdout.write = () => true;
  try {
    assert.equal(await main(["--help"]), 0);
  } finally {
    process.stdout.write = write;
  }
  assert.equal(process.listenerCount("SIGINT"), before);
});

test("progress is a bar on a terminal, and a line now and then elsewhere", () => {
  const step = { stage: "compile", total: 4, text: "x\x1b[31m" } as const;
  for (const isTerminal of [true, false]) {
    const to = surface(isTerminal);
    const meter = new Meter(to);
    meter.progress({ ...step, done: 1 });
    meter.progress({ ...step, done: 2 });
    meter.end();
    if (isTerminal) {
      assert.match(
        to.text.err,
        /█{6}░{18} 1\/4.+█{12}░{12} 2\/4.+\r.\[2K$/s,
      );
    } else assert.match(to.text.err, /^x \[31m \(1\/4, 0 s\)\n$/);
  }
});
