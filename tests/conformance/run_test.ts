/** What a run gives back. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { each, withSession } from "./targets.ts";

const unicode = "Grüße, 世界 🦀 \u202eabc\u202c é\u0301";

each("prints", (target) =>
  withSession(target, {}, async (session) => {
    const result = await session.run(target.code.print("hello"));
    assert.equal(result.stdout, "hello\n");
    assert.equal(result.stderr, "");
    assert.equal(result.exitCode, 0);
    assert.equal(result.limitHit, undefined);
  }));

each(
  "an empty program is one that prints nothing",
  (target) =>
    withSession(target, {}, async (session) => {
      const result = await session.run("");
      assert.equal(result.exitCode, 0, result.stderr);
      assert.equal(result.stdout, "");
    }),
);

each(
  "keeps stdout and stderr apart",
  (target) =>
    withSession(target, {}, async (session) => {
      const result = await session.run(target.code.both("to out", "to err"));
      assert.equal(result.stdout, "to out\n");
      assert.equal(result.stderr, "to err\n");
    }),
);

for (const code of [0, 1, 3, 42, 255]) {
  each(
    `exit code ${code}`,
    (target) =>
      withSession(target, {}, async (session) => {
        assert.equal(
          (await session.run(target.code.exit(code))).exitCode,
          code,
        );
      }),
  );
}

each(
  "an uncaught error is a result with exit code 1",
  (target) =>
    withSession(target, {}, async (session) => {
      const result = await session.run(
        target.code.raise("before", "this went wrong"),
      );
      assert.equal(result.exitCode, 1);
      assert.equal(result.stdout, "before\n");
      assert.match(result.stderr, /this went wrong/);
    }),
);

each(
  "code that is no program is a result with exit code 1",
  (target) =>
    withSession(target, {}, async (session) => {
      const result = await session.run(target.code.broken);
      assert.equal(result.exitCode, 1);
      assert.equal(result.stdout, "");
      assert.match(result.stderr, /SyntaxError/);
    }),
);

each(
  "text outside of ASCII comes back as it was",
  (target) =>
    withSession(target, {}, async (session) => {
      const result = await session.run(target.code.print(unicode));
      assert.equal(result.stdout, `${unicode}\n`);
    }),
);

each(
  "output that is not UTF-8 comes back as bytes",
  (target) =>
    withSession(target, {}, async (session) => {
      const bytes = [0x41, 0xff, 0xfe, 0x00, 0xc3, 0x28, 0x42];
      const result = await session.run(target.code.rawBytes(bytes));
      assert.deepEqual([...result.stdoutBytes], bytes);
      assert.match(result.stdout, /^A\ufffd+.*B$/s);
    }),
);

each(
  "1 MiB of output arrives whole",
  (target) =>
    withSession(target, {}, async (session) => {
      const result = await session.run(target.code.bigOutput(1 << 20));
      assert.equal(result.stdout.length, 1 << 20);
      assert.ok(/^x+$/.test(result.stdout));
    }),
);

each("stdin as text", (target) =>
  withSession(target, {}, async (session) => {
    const result = await session.run(target.code.echoStdin, {
      stdin: `line\n${unicode}`,
    });
    assert.equal(result.stdout, `line\n${unicode}`, result.stderr);
  }));

each(
  "stdin as bytes, 1 MiB",
  (target) =>
    withSession(target, {}, async (session) => {
      const stdin = Uint8Array.from(
        { length: 1 << 20 },
        (_, at) => (at * 31 + (at >> 8)) & 0xff,
      );
      const result = await session.run(target.code.echoStdin, { stdin });
      assert.equal(result.exitCode, 0, result.stderr);
      assert.ok(Buffer.from(result.stdoutBytes).equals(Buffer.from(stdin)));
    }),
);

each(
  "stdin is empty when there is none",
  (target) =>
    withSession(target, {}, async (session) => {
      assert.equal((await session.run(target.code.echoStdin)).stdout, "");
    }),
);

each(
  "environment of the session",
  (target) =>
    withSession(
      target,
      { env: { GREETING: unicode, EMPTY: "" } },
      async (session) => {
        assert.equal(
          (await session.run(target.code.env("GREETING"))).stdout,
          `${unicode}\n`,
        );
        assert.equal(
          (await session.run(target.code.env("EMPTY"))).stdout,
          "\n",
        );
      },
    ),
);

each(
  "nothing of the host's environment is passed on",
  (target) =>
    withSession(target, {}, async (session) => {
      process.env.MOTE_TEST_SECRET = "secret";
      try {
        const result = await session.run(target.code.env("MOTE_TEST_SECRET"));
        assert.equal(result.stdout, "\n");
      } finally {
        delete process.env.MOTE_TEST_SECRET;
      }
    }),
);

each(
  "the working directory is the workspace",
  (target) =>
    withSession(target, {}, async (session) => {
      assert.equal((await session.run(target.code.cwd)).stdout, "/sandbox\n");
    }),
);

each(
  "every run has a fresh interpreter and the same files",
  (target) =>
    withSession(target, {}, async (session) => {
      await session.run(target.code.setState("kept", 1));
      const state = await session.run(target.code.getState("kept"));
      assert.equal(state.exitCode, 1);
      assert.match(state.stderr, /kept/);
      await session.run(target.code.write("kept.txt", "kept"));
      assert.equal(
        (await session.run(target.code.read("kept.txt"))).stdout,
        "kept",
      );
    }),
);

each("no two runs share their random numbers", async (target) => {
  const seen: string[] = [];
  for (let round = 0; round < 3; round++) {
    await withSession(target, {}, async (session) => {
      for (let run = 0; run < 2; run++) {
        seen.push((await session.run(target.code.random)).stdout);
      }
    });
  }
  assert.equal(new Set(seen).size, seen.length, seen.join());
});

each("code as bytes and as a file's URL", async (target) => {
  const dir = await mkdtemp(join(tmpdir(), "mote-run-"));
  try {
    const file = join(dir, "program");
    await writeFile(file, target.code.print("from a file"));
    await withSession(target, {}, async (session) => {
      const bytes = new TextEncoder().encode(target.code.print("from bytes"));
      assert.equal((await session.run(bytes)).stdout, "from bytes\n");
      assert.equal(
        (await session.run(pathToFileURL(file))).stdout,
        "from a file\n",
      );
    });
  } finally {
    await rm(dir, { recursive: true });
  }
});

each(
  "files that a run made or changed are its artifacts",
  (target) =>
    withSession(target, {}, async (session) => {
      await session.run(target.code.write("old.txt", "old"));
      const { artifacts } = await session.run(
        target.code.write("new.json", "[1]"),
      );
      assert.deepEqual(artifacts.map(({ path, size }) => [path, size]), [[
        "new.json",
        3,
      ]]);
      assert.equal(artifacts[0]!.mediaType, "application/json");
      assert.equal(
        new TextDecoder().decode(await artifacts[0]!.bytes()),
        "[1]",
      );
    }),
);

each("timings add up", (target) =>
  withSession(target, {}, async (session) => {
    const { timings } = await session.run(target.code.print("x"));
    for (const [name, ms] of Object.entries(timings)) {
      assert.ok(Number.isFinite(ms) && ms >= 0, `${name} is ${ms}`);
    }
    assert.ok(timings.totalMs >= timings.runMs);
    assert.ok(
      timings.firstByteMs !== undefined &&
        timings.firstByteMs <= timings.totalMs,
    );
  }));

each(
  "the receipt says what the run ran on",
  (target) =>
    withSession(target, { limits: { timeMs: 12_345 } }, async (session) => {
      const { receipt } = await session.run(target.code.print("x"));
      assert.equal(receipt.lang, target.lang);
      assert.equal(receipt.backend, target.backend);
      assert.equal(receipt.limits.timeMs, 12_345);
      assert.deepEqual(receipt.libraries, []);
      assert.deepEqual(receipt.toolCalls, []);
    }),
);
