/** Whatever is sent through the binding comes out as it was, or is refused; nothing is changed on the way. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFile, writeFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { test } from "node:test";
import { SandboxError, tool } from "@mote/sandbox";
import fc from "fast-check";
import { z } from "zod";
import { programs } from "../conformance/programs.ts";
import { createSession } from "@mote/sandbox";
import { withFolder } from "../process/programs.ts";

const languages = ["python", "javascript"] as const;

const anyText = fc.string({ unit: "binary", maxLength: 200 });

for (const lang of languages) {
  const code = programs[lang]!;

  test(`${lang}: any bytes through stdin and stdout`, async () => {
    const session = await createSession({ backend: "wasm", lang });
    try {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 5_000 }), async (stdin) => {
          const { stdoutBytes } = await session.run(code.echoStdin, { stdin });
          assert.ok(Buffer.from(stdin).equals(Buffer.from(stdoutBytes)));
        }),
        { numRuns: 100 },
      );
    } finally {
      await session.close();
    }
  });

  test(`${lang}: any text through a string of the code`, async () => {
    const session = await createSession({ backend: "wasm", lang });
    try {
      await fc.assert(
        fc.asyncProperty(anyText, async (text) => {
          const { stdout, stderr } = await session.run(code.print(text));
          assert.equal(stdout, `${text.toWellFormed()}\n`, stderr);
        }),
        { numRuns: 150 },
      );
    } finally {
      await session.close();
    }
  });

  test(`${lang}: any JSON value through a tool and back`, async () => {
    let seen: unknown;
    const echo = tool({
      input: z.any(),
      output: z.any(),
      run: (input) => seen = input,
    });
    const session = await createSession({
      backend: "wasm",
      lang,
      tools: { echo },
    });
    try {
      await fc.assert(
        fc.asyncProperty(fc.jsonValue(), async (value) => {
          const plain = JSON.parse(JSON.stringify({ value }));
          const { stdout, stderr } = await session.run(
            code.tool("echo", plain),
          );
          assert.deepEqual(seen, plain, stderr);
          assert.deepEqual(JSON.parse(stdout || "0"), plain, stderr);
        }),
        { numRuns: 150 },
      );
    } finally {
      await session.close();
    }
  });

  test(`${lang}: any environment`, async () => {
    const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,20}$/);
    const value = fc.string({ unit: "grapheme", maxLength: 100 })
      .filter((text) => !text.includes("\0") && text.isWellFormed());
    await fc.assert(
      fc.asyncProperty(name, value, async (name, value) => {
        const session = await createSession({
          backend: "wasm",
          lang,
          env: { [name]: value },
        });
        try {
          const { stdout, stderr } = await session.run(code.env(name));
          assert.equal(stdout, `${value}\n`, stderr);
        } finally {
          await session.close();
        }
      }),
      { numRuns: 50 },
    );
  });
}

/** Where a guest path leads, relative to the workspace; undefined when that is outside of it. */
function leadsTo(path: string): string | undefined {
  const resolved = posix.resolve("/sandbox", path);
  if (resolved !== "/sandbox" && !resolved.startsWith("/sandbox/")) {
    return undefined;
  }
  return resolved.slice("/sandbox/".length);
}

test("any guest path stays in the workspace or is refused", async () => {
  const part = fc.oneof(
    fc.constantFrom(
      "..",
      ".",
      "",
      "a",
      "b",
      "sandbox",
      "etc",
      "ü",
      " ",
      "\\",
      "..\\",
      "...",
      "%2e%2e",
    ),
    fc.string({ unit: "binary", maxLength: 10 }),
  );
  const path = fc.tuple(
    fc.constantFrom("", "/", "/sandbox/", "//", "./"),
    fc.array(part, { maxLength: 6 }),
  )
    .map(([start, parts]) => start + parts.join("/"));
  await withFolder(async (dir) => {
    await writeFile(join(dir, "in"), "content");
    await fc.assert(
      fc.asyncProperty(path, async (path) => {
        const session = await createSession({
          backend: "wasm",
          lang: "javascript",
        });
        try {
          await session.copyToRuntime(join(dir, "in"), path);
          const files = (await session.listFiles()).filter(({ kind }) =>
            kind === "file"
          );
          // Into what is or is said to be a directory, a file goes by its own name.
          const [expected = ""] = files.map((file) => file.path);
          const lead = leadsTo(path);
          const inside = lead === "" ? "in" : `${lead}/in`;
          assert.ok(files.length === 1 && [lead, inside].includes(expected));
          await session.copyFromRuntime(expected, join(dir, "out"));
          assert.equal(await readFile(join(dir, "out"), "utf8"), "content");
        } catch (error) {
          if (!(error instanceof SandboxError)) throw error;
          assert.notEqual(error.code, "INTERNAL", error.message);
          const files = (await session.listFiles()).filter(({ kind }) =>
            kind === "file"
          );
          assert.deepEqual(files, []);
          if (leadsTo(path) === undefined) {
            assert.equal(error.code, "PATH_REFUSED", error.message);
          }
        } finally {
          await session.close();
        }
      }),
      { numRuns: 400 },
    );
  });
});
