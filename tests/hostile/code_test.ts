/** Code that no editor would save. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createSession, tool } from "@mote/sandbox";
import type { Session } from "@mote/sandbox";
import { z } from "zod";

const languages = ["python", "javascript"] as const;

type Lang = typeof languages[number];

const print: Record<Lang, string> = {
  python: "print('ran')",
  javascript: "console.log('ran')",
};

function each(
  name: string,
  body: (session: Session, lang: Lang) => Promise<void>,
): void {
  for (const lang of languages) {
    test(`${lang}: ${name}`, async () => {
      const session = await createSession({ backend: "wasm", lang });
      try {
        await body(session, lang);
        assert.equal((await session.run(print[lang])).stdout, "ran\n");
      } finally {
        await session.close();
      }
    });
  }
}

/** Ends with exit code 1 and says why; nothing of it ran. */
async function assertRefused(
  session: Session,
  code: Uint8Array | string,
): Promise<void> {
  const result = await session.run(code);
  assert.equal(result.exitCode, 1, result.stderr);
  assert.equal(result.stdout, "");
  assert.match(
    result.stderr,
    /SyntaxError|UnicodeDecodeError|ValueError: source code/,
  );
}

const bytes = (...parts: (string | number[])[]): Uint8Array => {
  const encoder = new TextEncoder();
  return Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === "string" ? [...encoder.encode(part)] : part
    ),
  );
};

each("NUL in the code", async (session, lang) => {
  await assertRefused(session, `${print[lang]}\n\0\n`);
  await assertRefused(session, "\0");
});

for (
  const [what, broken] of [
    ["a lone continuation byte", [0x80]],
    ["a cut sequence", [0xe2, 0x82]],
    ["an overlong slash", [0xc0, 0xaf]],
    ["a surrogate", [0xed, 0xa0, 0x80]],
    ["a code point past the last", [0xf4, 0x90, 0x80, 0x80]],
    ["0xFF", [0xff]],
  ] as const
) {
  each(
    `broken UTF-8 in the code: ${what}`,
    (session, lang) =>
      assertRefused(session, bytes(`${print[lang]}\n`, [...broken], "\n")),
  );
}

each("a lone surrogate in a string of the host", async (session) => {
  const result = await session.run("\ud800");
  assert.equal(result.exitCode, 1);
});

each("a byte order mark and CRLF", async (session, lang) => {
  const result = await session.run(
    `\ufeff${print[lang]}\r\n${print[lang]}\r\n`,
  );
  assert.equal(result.stdout, "ran\nran\n", result.stderr);
});

each("10 MB of code in many lines", async (session, lang) => {
  const line = "x = 1234567890\n";
  const code = lang === "python"
    ? `${line.repeat(10_000_000 / line.length)}${print[lang]}`
    : `let x;\n${line.repeat(10_000_000 / line.length)}${print[lang]}`;
  const run = session.run(code, { timeoutMs: 60_000 });
  const result = await run.catch((error) => error.result);
  assert.ok(["ran\n", ""].includes(result.stdout), result.stdout);
});

each("10 MB of code in one string", async (session, lang) => {
  const code = `x = "${"x".repeat(10_000_000)}"\n${print[lang]}`;
  const source = lang === "javascript" ? `var ${code}` : code;
  const result = await session.run(source, { timeoutMs: 60_000 });
  assert.equal(result.stdout, "ran\n", result.stderr.slice(0, 500));
});

each("10 MB of brackets", async (session) => {
  const run = session.run("(".repeat(10_000_000), { timeoutMs: 60_000 });
  const result = await run.catch((error) => error.result);
  assert.equal(result.stdout, "");
});

each("64 MB of code are refused or run, never harm", async (session) => {
  const run = session.run("#".repeat(64_000_000), { timeoutMs: 60_000 });
  await run.catch((error) => assert.equal(typeof error.code, "string"));
});

each(
  "a file name, a marker of another run, an escape sequence",
  async (session, lang) => {
    for (
      const text of [
        "__mote_end__",
        "\x1b[2J",
        "%s%n%x",
        "{{7*7}}",
        "$(id)",
        "`id`",
      ]
    ) {
      const code = lang === "python"
        ? `print(${JSON.stringify(text)})`
        : `console.log(${JSON.stringify(text)})`;
      assert.equal((await session.run(code)).stdout, `${text}\n`);
    }
  },
);

for (const lang of languages) {
  test(`${lang}: 50 MB into a tool and out of it end at its limit`, async () => {
    const echo = tool({
      input: z.any(),
      output: z.any(),
      run: () => "x".repeat(50_000_000),
    });
    const session = await createSession({
      backend: "wasm",
      lang,
      tools: { echo },
    });
    try {
      const code = lang === "python"
        ? [
          "for send in ['x' * 50_000_000, 'x']:",
          "    try:",
          "        tools.echo(text=send)",
          "        print('answered')",
          "    except RuntimeError:",
          "        print('limit')",
        ]
        : [
          "for (const text of ['x'.repeat(50_000_000), 'x']) {",
          "  try { await tools.echo({ text }); console.log('answered'); }",
          "  catch { console.log('limit'); }",
          "}",
        ];
      const result = await session.run(code.join("\n"));
      assert.equal(result.stdout, "limit\nlimit\n", result.stderr);
      assert.equal((await session.run(print[lang])).stdout, "ran\n");
    } finally {
      await session.close();
    }
  });
}
