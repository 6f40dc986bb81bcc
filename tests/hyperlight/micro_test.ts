/** What only a micro-VM can get wrong: sessions that share pages, memory that stays, state that survives a restore. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { createSession } from "@mote/sandbox";
import type { Session, SessionOptions } from "@mote/sandbox";

const cycles = 200;

function open(options: SessionOptions<"hyperlight">): Promise<Session> {
  return createSession({
    backend: "hyperlight",
    guest: "micro",
    acceptEmulatedHypervisor: true,
    timeoutMs: 120_000,
    ...options,
    limits: { memoryMb: 64, workspaceMb: 16, ...options.limits },
  });
}

async function printed(session: Session, code: string): Promise<string> {
  const { stdout, stderr, exitCode } = await session.run(code);
  assert.equal(exitCode, 0, stderr);
  return stdout;
}

function held(): { files: number; threads: number; kb: number } {
  const status = readFileSync("/proc/self/status", "utf8");
  const number = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)![1]);
  return {
    files: readdirSync("/proc/self/fd").length,
    threads: number("Threads"),
    kb: number("VmRSS"),
  };
}

test(`${cycles} sessions, opened and closed, leave nothing`, async () => {
  const cycle = async () => {
    const session = await open({
      lang: "javascript",
      limits: { memoryMb: 16 },
    });
    assert.equal(await printed(session, "console.log('hi')"), "hi\n");
    await session.close();
  };
  for (let i = 0; i < 20; i++) await cycle();
  const before = held();
  for (let i = 0; i < cycles; i++) await cycle();
  const after = held();
  assert.ok(after.files <= before.files + 2, JSON.stringify({ before, after }));
  assert.ok(
    after.threads <= before.threads + 2,
    JSON.stringify({ before, after }),
  );
  // A machine that stayed would hold 400 KiB at least.
  assert.ok(
    after.kb - before.kb < cycles * 100,
    JSON.stringify({ before, after }),
  );
});

const secret = {
  python: {
    leave: "import os, builtins\n" +
      "builtins.mark = 'secret'\nopen('own', 'w').write('secret')\nos.environ['MARK'] = 'secret'",
    look: "import os, builtins\n" +
      "print(hasattr(builtins, 'mark'), os.path.exists('own'), 'MARK' in os.environ)",
    sees: "False False False\n",
    draw:
      "import random, os, secrets\nprint(random.random(), os.urandom(8).hex(), secrets.token_hex(8))",
  },
  javascript: {
    leave: "globalThis.mark = 'secret'; Array.prototype.mark = 1",
    look: "console.log(globalThis.mark, [].mark)",
    sees: "undefined undefined\n",
    draw:
      "console.log(Math.random(), crypto.getRandomValues(new Uint8Array(8)).join())",
  },
} as const;

for (const lang of ["python", "javascript"] as const) {
  const code = secret[lang];

  test(`${lang}: two sessions of one snapshot share nothing`, async () => {
    const [one, other] = await Promise.all([open({ lang }), open({ lang })]);
    try {
      await printed(one, code.leave);
      assert.equal(await printed(other, code.look), code.sees);
      const draws = new Set<string>();
      for (const session of [one, other, one, other]) {
        draws.add(await printed(session, code.draw));
      }
      assert.equal(draws.size, 4, [...draws].join(""));
    } finally {
      await Promise.all([one.close(), other.close()]);
    }
  });

  test(`${lang}: nothing of a run is left in the machine for the next`, async () => {
    const session = await open({ lang });
    try {
      await printed(session, code.leave);
      if (lang === "python") await session.run("import os\nos.remove('own')");
      assert.equal(await printed(session, code.look), code.sees);
    } finally {
      await session.close();
    }
  });
}

test("files larger than a message go in and come back whole", async () => {
  const session = await open({ lang: "python" });
  try {
    const code =
      "import hashlib\ndata = bytes(range(256)) * 8192\nopen('big', 'wb').write(data)\n" +
      "print(hashlib.sha256(data).hexdigest())";
    const made = await printed(session, code);
    const again = await printed(
      session,
      "import hashlib\nprint(hashlib.sha256(open('big', 'rb').read()).hexdigest())",
    );
    assert.equal(again, made);
    const [entry] = await session.listFiles();
    assert.equal(entry?.size, 256 * 8192);
  } finally {
    await session.close();
  }
});

test("an interactive machine keeps its state and sees the host's changes", async () => {
  const session = await open({ lang: "python", interactive: true });
  try {
    await printed(session, "x = 20\nopen('a', 'w').write('one')");
    assert.equal(await printed(session, "print(x + 1)"), "21\n");
    const { stderr, exitCode } = await session.run("1/0");
    assert.equal(exitCode, 1, stderr);
    assert.equal(
      await printed(session, "print(x, open('a').read())"),
      "20 one\n",
    );
  } finally {
    await session.close();
  }
});

test("what a run has printed is kept, whatever way it ends", async () => {
  const session = await open({ lang: "python" });
  try {
    const ends = {
      return: "",
      exit: "raise SystemExit(3)",
      kill: "while True: pass",
      death: "import ctypes_that_is_not_there",
    };
    for (const [name, end] of Object.entries(ends)) {
      const code = "import sys\nprint('out', flush=True)\n" +
        `print('err', file=sys.stderr, flush=True)\n${end}`;
      const { stdout, stderr } = await session.run(code, { timeoutMs: 5_000 })
        .catch((error) => {
          assert.equal(error.code, "TIMED_OUT", String(error));
          return error.result;
        });
      assert.equal(stdout, "out\n", name);
      assert.equal(stderr.split("\n")[0], "err", name);
    }
    // More than is held back, in pieces, comes in order.
    const many = await printed(
      session,
      "for i in range(2000): print(i, flush=True)",
    );
    const lines = Array.from({ length: 2000 }, (_, i) => `${i}\n`);
    assert.equal(many, lines.join(""));
  } finally {
    await session.close();
  }
});

test("output is there while the run goes on, for whoever reads it", async () => {
  const session = await open({ lang: "python" });
  const begun = performance.now();
  let first = Infinity;
  try {
    const code =
      "import time\nprint('first', flush=True)\ntime.sleep(3)\nprint('last')";
    for await (const { text } of session.stream(code)) {
      if (text.startsWith("first")) first = performance.now() - begun;
    }
    assert.ok(performance.now() - begun - first > 1_500, `${first}`);
  } finally {
    await session.close();
  }
});

test("a run can be told more than fits into one message", async () => {
  const long = "x".repeat(40_000);
  const session = await open({ lang: "python", env: { LONG: long } });
  try {
    const code = "import os\nprint(len(os.environ['LONG']))";
    assert.equal(await printed(session, code), `${long.length}\n`);
  } finally {
    await session.close();
  }
});
