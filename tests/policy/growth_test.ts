/** Code made to be hard to check: it ends, within bounds, for every language. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { policyLanguages } from "../../src/policy/languages/languages.ts";
import { compilePolicy } from "../../src/policy/policy.ts";

const repeat = (text: string, length: number) =>
  text.repeat(Math.ceil(length / text.length)).slice(0, length);

/** Pieces that are trouble again and again. */
const pieces: readonly string[] = [
  "(",
  "[",
  "{",
  "a(",
  "a.b",
  ".b",
  "()",
  "+1",
  "-",
  ")]}",
  "@#$%^&*`~ ",
  '"',
  "'\\'",
  "a<",
  "a?b:",
  "if(a) ",
  "a ",
  "a,",
  "a=",
  "f'{",
  "`${",
  "$(",
  "import ",
  "from os import a\n",
  "import os;",
  "a=os\n",
  "a",
  "\n",
  "lambda:",
  "getattr(",
  "[a for a in ",
  "class A{",
  "function(){",
  "x=>",
  "{a:",
  "#include <a>\n",
  "/*",
  "//\n",
  "<<A\n",
  "a[0].b(1).c\n",
];

const length = 40_000;
const long = 1_000_000;

/** Generous: what is promised is that it ends. */
const mostMs = 20_000;

for (const language of Object.keys(policyLanguages)) {
  test(`${language}: anything is checked in bounded time`, async () => {
    const policy = await compilePolicy(
      [{
        restrictedModules: [{ name: "os" }],
        restrictedCalls: [{ name: "a.b" }, { name: "eval" }],
        patterns: [{ pattern: "(a+)+b" }],
      }],
      language,
    );
    const slow: string[] = [];
    const codes = pieces.map((piece) => repeat(piece, length))
      .concat(repeat("a.b(c);\n", long), repeat("(", long));
    for (const code of codes) {
      const started = performance.now();
      await policy.check(code);
      const ms = performance.now() - started;
      if (ms > mostMs) slow.push(`${JSON.stringify(code.slice(0, 10))}: ${ms}`);
    }
    assert.deepEqual(slow, []);
    // Whatever happened to the parser, the next check is right.
    assert.equal((await policy.check("")).safe, true);
  });
}
