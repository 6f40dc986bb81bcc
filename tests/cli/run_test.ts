/** `mote run` as its users run it: a process with streams, signals and an exit code. */
import assert from "node:assert/strict";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { groupIsAlive, mote, start, words } from "./process.ts";

test("a program's output and exit code are the command's", async () => {
  const python = await mote([
    "run",
    "-c",
    "import sys; print('out'); print('err', file=sys.stderr); sys.exit(5)",
  ]);
  assert.deepEqual(
    [python.code, python.out, python.err],
    [5, "out\n", "err\n"],
  );
  const javascript = await mote([
    "run",
    "-l",
    "javascript",
    "-c",
    "console.log(process.argv.slice(2)); process.exit(6)",
    "--",
    "-a",
    "b",
  ]);
  assert.deepEqual(
    [javascript.code, javascript.out],
    [6, "[ '-a', 'b' ]\n"],
  );
});

test("errors of Mote's own have codes that are not the program's", async () => {
  const raised = await mote(["run", "-c", "raise SystemError"]);
  assert.equal(raised.code, 1);
  const slow = await mote(["run", "-t", "200ms", "-c", "while True: pass"]);
  assert.equal(slow.code, 124);
  assert.match(slow.err, /^TIMED_OUT: /m);
  const big = await mote(["run", "-m", "64", "-c", "x = bytearray(1 << 30)"]);
  assert.equal(big.code, 123);
  const wide = await mote(["run", "-b", "wasm", "--allow-net", "-c", "1"]);
  assert.equal(wide.code, 120);
  assert.match(wide.err, /^UNSUPPORTED: /m);
  assert.equal((await mote(["run", "--nonsense"])).code, 120);
  assert.equal((await mote(["nonsense"])).code, 2);
});

test("standard input is the program's, whole and as bytes", async () => {
  const input = new Uint8Array(3_000_000).map((_, index) => index % 251);
  const { code, out } = await mote([
    "run",
    "-c",
    "import sys; b = sys.stdin.buffer.read(); print(len(b), sum(b))",
  ], { input });
  const sum = input.reduce((all, byte) => all + byte, 0);
  assert.deepEqual([code, out], [0, `3000000 ${sum}\n`]);
});

test("stdout and stderr arrive in the order in which they were written", async () => {
  const program = `import sys
for n in range(200): print(n, file=sys.stderr if n % 2 else sys.stdout)`;
  const line = [...words, "run", "-c", program].map((word) =>
    `'${word.replaceAll("'", `'\\''`)}'`
  ).join(" ");
  const { code, out } = await start(["sh", "-c", `${line} 2>&1`], { input: "" })
    .ended;
  assert.equal(code, 0);
  assert.deepEqual(out.trim().split("\n").map(Number), [...Array(200).keys()]);
});

test("output comes as it is written; Ctrl-C ends the run and leaves nothing", async () => {
  const running = start([
    ...words,
    "run",
    "--no-stdin",
    "-c",
    "print('begun')\nwhile True: pass",
  ]);
  await running.until("out", /begun/);
  running.signal("SIGINT");
  const { code, err } = await running.ended;
  assert.deepEqual([code, err], [130, ""]);
  assert.equal(groupIsAlive(running.child.pid!), false);
});

test("SIGTERM does the same with 143, and with --json the object is whole", async () => {
  const running = start([
    ...words,
    "run",
    "--json",
    "--no-stdin",
    "-v",
    "-c",
    "print('begun')\nwhile True: pass",
  ]);
  await running.until("err", /opened python/);
  running.signal("SIGTERM");
  const { code, out } = await running.ended;
  assert.equal(code, 143);
  assert.equal(JSON.parse(out).error.code, "ABORTED");
});

test("Ctrl-C also ends the wait for standard input", async () => {
  const running = start([...words, "run", "-c", "print(input())"]);
  await running.until("err", /waiting for the end of standard input/);
  running.signal("SIGINT");
  assert.equal((await running.ended).code, 130);
  assert.equal(groupIsAlive(running.child.pid!), false);
});

test("a reader that goes away ends the program", async () => {
  const running = start([
    ...words,
    "run",
    "--no-stdin",
    "--output-limit",
    "1000m",
    "-c",
    "while True: print('x' * 1000)",
  ]);
  await running.until("out", /x/);
  running.child.stdout!.destroy();
  const { code, err } = await running.ended;
  assert.deepEqual([code, err], [141, ""]);
});

test("--json has the shape that is documented", async () => {
  const { code, out, err } = await mote([
    "run",
    "--json",
    "-c",
    "open('a.txt', 'w').write('abc'); print('hi'); raise SystemExit(2)",
  ]);
  assert.deepEqual([code, err], [2, ""]);
  const object = JSON.parse(out);
  assert.deepEqual(Object.keys(object), [
    "exitCode",
    "stdout",
    "stderr",
    "artifacts",
    "timings",
    "receipt",
  ]);
  assert.deepEqual(object.artifacts, [
    { path: "a.txt", size: 3, mediaType: "text/plain" },
  ]);
  assert.ok(object.timings.totalMs >= object.timings.runMs);
  assert.equal(object.receipt.lang, "python");
});

test("files go in, artifacts come out, and none leads elsewhere", async () => {
  const dir = mkdtempSync(join(tmpdir(), "mote-cli-"));
  try {
    writeFileSync(join(dir, "in.csv"), "1\n2\n");
    writeFileSync(
      join(dir, "sum.py"),
      `import os
total = sum(map(int, open("in.csv")))
os.makedirs("out/deep")
open("out/deep/sum.txt", "w").write(str(total))
for name in ("../up", "/etc/up", "/sandbox/../up"):
    try: open(name, "w")
    except OSError: print("refused")
os.symlink("/etc/hostname", "link")
`,
    );
    const { code, out, err } = await mote(
      ["run", "--copy", "in.csv", "--artifacts", "made", "sum.py"],
      { cwd: dir },
    );
    assert.deepEqual([code, out], [0, "refused\n".repeat(3)], err);
    const made = join(dir, "made");
    assert.equal(readFileSync(join(made, "out/deep/sum.txt"), "utf8"), "3");
    assert.deepEqual(readdirSync(made), ["out"]);
    assert.deepEqual(readdirSync(dir).sort(), ["in.csv", "made", "sum.py"]);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("a short measurement checks its answers and says what it cannot measure", async () => {
  const { code, out, err } = await mote([
    "bench",
    "-n",
    "5",
    "-b",
    "wasm",
    "-l",
    "javascript",
    "--json",
  ], { env: { PATH: "/nowhere" } });
  assert.equal(code, 0, err);
  const { figures, unmeasured } = JSON.parse(out);
  assert.equal(figures.length, 3);
  for (const { leastMs, p50Ms, p95Ms } of figures) {
    assert.ok(0 < leastMs && leastMs <= p50Ms && p50Ms <= p95Ms);
  }
  assert.match(unmeasured[0].why, /no node on PATH/);
});

test("probe says of every backend why, and what to do", async () => {
  const { code, out } = await mote(["probe", "--json"]);
  assert.equal(code, 0);
  for (const [name, status] of Object.entries(JSON.parse(out))) {
    const { available, reason, cure } = status as Record<string, unknown>;
    assert.equal(typeof reason, "string", name);
    assert.equal(typeof cure, available ? "undefined" : "string", name);
  }
});

test("a full disk is said, with a code that is not the program's", {
  skip: existsSync("/dev/full") ? false : "there is no /dev/full",
}, async () => {
  const line = [...words, "run", "--no-stdin", "-c", "print(1)"].map((word) =>
    `'${word}'`
  ).join(" ");
  const { code, err } = await start(["sh", "-c", `${line} > /dev/full`], {
    input: "",
  }).ended;
  assert.equal(code, 125);
  assert.match(err, /cannot write the output: .*no space/i);
});
