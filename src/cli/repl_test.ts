import assert from "node:assert/strict";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { surface } from "../../tests/cli/surface.ts";
import { createMemorySession } from "../memory_session.ts";
import { historyFile, readHistory, writeHistory } from "./repl_history.ts";
import { prepared } from "./repl_javascript.ts";
import type { ReplLanguage } from "./repl_language.ts";
import type { Entry, Lines } from "./repl_lines.ts";
import { openLines } from "./repl_lines.ts";
import { Repl } from "./repl_loop.ts";

test("JavaScript is whole when nothing is missing at its end", () => {
  const whole = [
    "1",
    "let x = 5",
    "f(1, 2)",
    "if (x) { y() }",
    "`a${1}b`",
    "import a from 'b'",
    "await x",
    "// only words",
    "{ a: 1 }",
    "'an error",
    "} else",
    "let let = 1",
    "/unclosed",
  ];
  const parts = [
    "f(1,",
    "if (x) {",
    "`a",
    "`a${",
    "/* b",
    "[1,\n2,",
    "class A {\n  b() {}",
    "x = ",
    "x =>",
    "'goes on \\",
    "({ a: 1",
    "{ a: 1",
    "do {} ",
  ];
  for (const text of whole) assert.equal(prepared(text).whole, true, text);
  for (const text of parts) assert.equal(prepared(text).whole, false, text);
});

test("the value of a last expression is shown, and of nothing else", () => {
  const shown: [string, string][] = [
    ["1", "$mote=(1\n)"],
    ["let x = 5; x + 1;", "let x = 5; $mote=(x + 1\n)"],
    ["a, b", "$mote=(a, b\n)"],
    ["(a)", "$mote=((a)\n)"],
    ["a // why", "$mote=(a\n)"],
    ["a ;", "$mote=(a\n)"],
    ["{ a: 1 }", "$mote=(({ a: 1 }\n)\n)"],
    ["({ a: 1 })", "$mote=(({ a: 1 })\n)"],
    ["await f()", "$mote=(await f()\n)"],
  ];
  for (const [text, code] of shown) assert.equal(prepared(text).code, code);
  const plain = [
    "let x = 5",
    "if (a) b",
    "{ let a = 1; }",
    "{ a: 1 };",
    "function f() { return 1 }",
    "'use strict'",
    "throw new Error()",
    "syntax error",
    "import a from 'b'",
    "",
  ];
  for (const text of plain) assert.equal(prepared(text).code, text);
});

test("history is kept for its owner alone, bounded, and without control characters", async () => {
  const dir = mkdtempSync(join(tmpdir(), "mote-history-"));
  try {
    const file = historyFile("python", {
      XDG_STATE_HOME: dir,
      HOME: "/nobody",
    });
    assert.equal(file, join(dir, "mote", "history_python"));
    assert.deepEqual(await readHistory(file!), []);
    const lines = Array.from({ length: 1_500 }, (_, n) => `line ${n}`);
    await writeHistory(file!, ["with\x1b[2J", ...lines]);
    assert.equal(statSync(file!).mode & 0o777, 0o600);
    assert.equal(statSync(join(dir, "mote")).mode & 0o777, 0o700);
    const read = await readHistory(file!);
    assert.equal(read.length, 1_000);
    assert.deepEqual(read.slice(0, 2), ["with [2J", "line 0"]);
    await writeHistory(file!, ["x".repeat(200_000), "y".repeat(200_000), "z"]);
    assert.ok(statSync(file!).size <= 262_144);
    writeFileSync(file!, "a\x1b]0;b\x07\n".repeat(100_000));
    const foreign = await readHistory(file!);
    assert.equal(foreign.length, 1_000);
    assert.equal(foreign[0], "a ]0;b ");
    assert.deepEqual(readdirSync(join(dir, "mote")), ["history_python"]);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("history has a place where the system says one", () => {
  assert.equal(
    historyFile("python", { XDG_STATE_HOME: "relative", HOME: "/h" }),
    "/h/.local/state/mote/history_python",
  );
  assert.equal(historyFile("python", {}), undefined);
});

/** Lines of the double's script; a `[` without its end is unfinished. */
const script: ReplLanguage = {
  title: "script",
  prompt: "> ",
  more: ". ",
  begin: async (run) => void await run('["set", "begun", true]'),
  step: async (text, run, last) => {
    if (!last && !text.endsWith("]")) return { kind: "more" };
    if (text === '["bye"]') return { kind: "exit", code: 7 };
    const { exitCode } = await run(text.replaceAll("\n", " "));
    return { kind: "done", ok: exitCode === 0 };
  },
  load: async (text, run) => {
    const { exitCode } = await run(text);
    return { kind: "done", ok: exitCode === 0 };
  },
};

async function talk(text: string, timeoutMs = 10_000) {
  const to = surface({ input: text });
  const session = await createMemorySession({ interactive: true, timeoutMs });
  try {
    const lines = await openLines(to, []);
    const code = await new Repl(to, session, script, lines).loop();
    lines.close();
    return { code, ...to.text };
  } finally {
    await session.close();
  }
}

test("lines of a file run one after the other, without prompts", async () => {
  const { code, out, err } = await talk(
    '["set", "x", 5]\n\n["get",\n"x"]\n["raise", "no"]\n["get", "begun"]',
  );
  assert.deepEqual([code, out], [0, "5\ntrue\n"]);
  assert.match(err, /no/);
});

test("what is left unfinished at the end of a file runs as it is", async () => {
  const { code, err } = await talk('["print",');
  assert.equal(code, 0);
  assert.notEqual(err, "");
});

test("the program can end the session, and so can .exit", async () => {
  const ended = await talk('["bye"]\n["print", "never"]');
  assert.deepEqual([ended.code, ended.out], [7, ""]);
  const left = await talk('["print", "a"]\n.exit\n["print", "never"]');
  assert.deepEqual([left.code, left.out], [0, "a\n"]);
});

test("a run that Mote ends says what is lost; the session goes on and the code tells", async () => {
  const { code, out, err } = await talk(
    '["set", "x", 1]\n["loop"]\n["get", "begun"]\n["get", "x"]',
    100,
  );
  assert.deepEqual([code, out], [124, "true\n"]);
  assert.match(err, /^TIMED_OUT: .*state of earlier runs is lost/m);
  assert.match(err, /NameError: x/);
});

test("files are loaded, and what was entered is saved to a new file only", async () => {
  const dir = mkdtempSync(join(tmpdir(), "mote-repl-"));
  try {
    const [from, to] = [join(dir, "from"), join(dir, "to")];
    writeFileSync(from, '["print", "loaded"]\n["set", "x", 2]');
    const { code, out, err } = await talk(
      `.load ${from}\n["get", "x"]\n["raise", "no"]\n.save ${to}\n.save ${to}\n` +
        `.load ${dir}/nothing\n.load\n.nonsense\n.help\n`,
    );
    assert.equal(code, 125);
    assert.match(out, /^loaded\n2\n\.break/);
    assert.match(err, /is there already/);
    assert.match(err, /there is no such file/);
    assert.match(err, /\.load needs the name of a file/);
    assert.match(err, /no command \.nonsense/);
    assert.equal(
      readFileSync(to, "utf8"),
      '["print", "loaded"]\n["set", "x", 2]\n["get", "x"]\n',
    );
  } finally {
    rmSync(dir, { recursive: true });
  }
});

/** Somebody who types, as the terminal would hand it over. */
function typist(
  entries: (Entry | (() => Entry))[],
): Lines & { prompts: string[]; cancel: () => void } {
  const typed = {
    typed: true,
    history: [],
    prompts: [] as string[],
    cancel: () => {},
    next(prompt: string) {
      typed.prompts.push(prompt);
      return Promise.resolve(entries.shift() as Entry ?? { kind: "end" });
    },
    during<T>(work: Promise<T>, cancel: () => void): Promise<T> {
      typed.cancel = cancel;
      return work;
    },
    close() {},
  };
  return typed;
}

test("Ctrl-C forgets what is unfinished and ends what runs, never the session", async () => {
  const to = surface();
  const session = await createMemorySession({ interactive: true });
  const line = (text: string): Entry => ({ kind: "line", text });
  const lines = typist([
    line('["print",'),
    { kind: "cancel" },
    line('["print", "whole"]'),
    line('["write-bytes", [97]]'),
    line('["loop"]'),
    line('["print", "after"]'),
  ]);
  const print = session.run.bind(session);
  session.run = (code, options) => {
    const run = print(code, options);
    if (code === '["loop"]') queueMicrotask(() => lines.cancel());
    return run;
  };
  assert.equal(await new Repl(to, session, script, lines).loop(), 0);
  await session.close();
  assert.deepEqual(lines.prompts, [
    "> ",
    ". ",
    "> ",
    "> ",
    "> ",
    "> ",
    "> ",
  ]);
  // A prompt begins a line of its own.
  assert.match(to.text.out, /whole\na\nafter\n/);
  assert.match(to.text.err, /^ABORTED: .*lost/m);
});
