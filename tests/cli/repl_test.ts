/** `mote repl` over a pipe, and over a terminal as somebody types. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { groupIsAlive, mote, start, words } from "./process.ts";

test("Python over a pipe prints what Python's prompt prints", async () => {
  const { code, out, err } = await mote(["repl"], {
    input: `6 * 7
_ + 1
x = "a\\nb"
x
None
def double(n):
    return n * 2

double(21)
if x:
    print("block")

[1,
 2]
1 / 0
from __future__ import annotations
def f(a: nonsense): pass

f.__annotations__
import sys; sys.exit(9)
`,
  });
  assert.equal(code, 9);
  assert.equal(
    out,
    `42\n43\n'a\\nb'\n42\nblock\n[1, 2]\n{'a': 'nonsense'}\n`,
  );
  assert.match(err, /^Traceback .*\n {2}File "<input-\d+>", line 1/);
  assert.match(err, /\n {4}1 \/ 0\n/);
  assert.match(err, /ZeroDivisionError: division by zero\n$/);
  assert.ok(!err.includes("codeop") && !err.includes("main.py"), err);
});

test("a syntax error is Python's own", async () => {
  const { code, err } = await mote(["repl"], { input: '"open\nx = = 1\n' });
  assert.equal(code, 0);
  assert.match(err, /unterminated string literal/);
  assert.match(err, /invalid syntax/);
});

test("JavaScript over a pipe prints what Node's prompt prints", async () => {
  const { code, out, err } = await mote(["repl", "-l", "javascript"], {
    input: `6 * 7
_ + 1
const x = { a: [1, "b"] }
x
{ c: x.a }
undefined
"text"
await Promise.resolve(5)
function f(a,
  b) {
  return a + b
}
f(1,
  2); // sum
\`a
\${1}\`
null.x
_
process.exit(8)
`,
  });
  assert.equal(code, 8, err);
  assert.equal(
    out,
    `42\n43\n{ a: [ 1, 'b' ] }\n{ c: [ 1, 'b' ] }\nundefined\n'text'\n5\n3\n'a\\n1'\n'a\\n1'\n`,
  );
  assert.match(err, /TypeError/);
});

test("exit code 0 ends it too, and an exit of its own in fresh state", async () => {
  for (
    const [lang, line] of [["javascript", "process.exit()"], [
      "python",
      "exit()",
    ]]
  ) {
    const { code, out, err } = await mote(
      ["repl", "-l", lang!, "-t", "300ms"],
      {
        input: `1\n${
          lang === "python" ? "while True: pass\n" : "for (;;) {}"
        }\n2\n${line}\n3\n`,
      },
    );
    assert.deepEqual([code, out], [0, "1\n2\n"], err);
    assert.match(err, /^TIMED_OUT: .*state of earlier runs is lost/m);
  }
});

test("SIGINT of a script's session ends all of it", async () => {
  const running = start([...words, "repl"]);
  running.child.stdin!.write("print('begun')\nwhile True: pass\n\n");
  await running.until("out", /begun/);
  running.signal("SIGINT");
  assert.equal((await running.ended).code, 130);
  assert.equal(groupIsAlive(running.child.pid!), false);
});

const script =
  spawnSync("script", ["--version"], { stdio: "ignore" }).status ===
    0;
test(
  "on a terminal there are prompts, history, and Ctrl-C that ends runs only",
  {
    skip: script ? false : "there is no script of util-linux on PATH",
  },
  async () => {
    const state = mkdtempSync(join(tmpdir(), "mote-state-"));
    const line = [...words, "repl"].map((word) => `'${word}'`).join(" ");
    const open = () =>
      start(["script", "-qec", line, "/dev/null"], {
        env: { XDG_STATE_HOME: state, TERM: "xterm", NO_COLOR: "1" },
      });
    try {
      const first = open();
      const enter = async (text: string, wanted: RegExp) => {
        first.seen.out = "";
        first.child.stdin!.write(text);
        await first.until("out", wanted);
      };
      await first.until("out", /Python in wasm.*>>> /s);
      await enter("6 * 7\r", /\n42\r\n.*>>> /s);
      await enter("x = 'kept'\r", />>> /);
      await enter("if x:\r", /\.\.\. /);
      await enter("\x03", /Ctrl-D ends.*>>> /s);
      await enter("x\r", /'kept'.*>>> /s);
      await enter("print('no end of line', end='')\r", /line\r\n.*>>> /s);
      await enter("while True: print('y', flush=True)\r", /\.\.\. /);
      await enter("\r", /y\r\ny/);
      await enter("\x03", /ABORTED: .*is lost.*>>> /s);
      await enter("x\r", /NameError.*>>> /s);
      first.child.stdin!.write("\x04");
      assert.equal((await first.ended).code, 0);

      const file = join(state, "mote/history_python");
      assert.equal(statSync(file).mode & 0o777, 0o600);
      assert.match(readFileSync(file, "utf8"), /^6 \* 7\nx = 'kept'\n/);

      const second = open();
      await second.until("out", />>> /);
      second.seen.out = "";
      // The newest line of the last session, and the end of this one.
      second.child.stdin!.write("\x1b[A\r");
      await second.until("out", /x\r\n.*NameError.*>>> /s);
      second.child.stdin!.write("exit(4)\r");
      assert.equal((await second.ended).code, 4);
    } finally {
      rmSync(state, { recursive: true });
    }
  },
);
