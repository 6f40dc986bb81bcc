/** The same programs over both walls: in the process and in a micro-VM they print the same bytes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createSession } from "@mote/sandbox";
import type { RunResult, Session } from "@mote/sandbox";

const count = { python: 120, javascript: 80 } as const;
type Lang = keyof typeof count;

/** Numbers that are the same everywhere. */
function numbers(seed: number): (below: number) => number {
  let state = BigInt(seed) * 2_654_435_761n + 1n;
  return (below) => {
    state = (state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n) &
      ((1n << 64n) - 1n);
    return Number((state >> 33n) % BigInt(below));
  };
}

type Make = (n: (below: number) => number) => string;

const statements: Record<Lang, readonly Make[]> = {
  python: [
    (n) => `print(${n(1e6)} ** ${n(60)} % ${n(1e6) + 1})`,
    (n) =>
      `print(sorted(str(i * ${n(97) + 1} % 101) for i in range(${n(60)})))`,
    (n) =>
      `import json\nprint(json.dumps({"a": [${n(9)}, ${n(9)}.${
        n(9)
      }, None], "ü": "${n(99)}"}, sort_keys=True))`,
    (n) => `import hashlib\nprint(hashlib.sha256(b"${n(1e9)}").hexdigest())`,
    (n) =>
      `import re\nprint(re.findall(r"\\d{${n(2) + 1}}", "${n(1e9)} ${
        n(1e9)
      }"))`,
    (n) => `open("f${n(5)}", "w").write("x" * ${n(20_000)})`,
    () =>
      `import os\nprint(sorted((name, os.stat(name).st_size) for name in os.listdir(".")))`,
    (n) =>
      `from decimal import *\ngetcontext().prec = ${n(40) + 2}\nprint(Decimal(${
        n(99) + 1
      }) / Decimal(${n(98) + 1}))`,
    (n) =>
      `print(${n(1e6)} / ${n(1e3) + 1}, ${n(1e6)}e${n(40)}, float("${n(99)}.${
        n(1e9)
      }"))`,
    (n) =>
      `try:\n  print([1, 2, 3][${
        n(6)
      }])\nexcept IndexError as error:\n  print(repr(error))`,
    (n) => `import sys\nprint("to the other stream ${n(99)}", file=sys.stderr)`,
    (n) =>
      `import zlib\nprint(zlib.crc32(zlib.compress(b"${n(1e9)}" * ${
        n(500) + 1
      }, ${n(9)})))`,
    (n) =>
      `def f(k): return k if k < 2 else f(k - 1) + f(k - 2)\nprint(f(${
        n(14)
      }))`,
    (n) =>
      `import random\nrandom.seed(${
        n(1e9)
      })\nprint([random.randrange(1000) for _ in range(${n(9)})])`,
    (n) =>
      `print("%s|{:>{}}|{!r}".format(${n(99)}, ${n(20)}, "é${n(99)}") % ${
        n(9)
      })`,
    (n) =>
      `import sqlite3\ndb = sqlite3.connect(":memory:")\ndb.execute("create table t(x)")\ndb.executemany("insert into t values (?)", [(i * ${
        n(50) + 1
      } % 17,) for i in range(30)])\nprint(db.execute("select x, count(*) from t group by x order by x").fetchall())`,
    (n) => `if ${n(4)} == 0: raise ValueError("${n(99)}")`,
  ],
  javascript: [
    (n) =>
      `console.log(${n(1e6)} / ${n(1e3) + 1}, ${n(1e9)} ** 0.5, ${n(99)}n ** ${
        n(40)
      }n)`,
    (n) =>
      `console.log(Array.from({ length: ${n(40)} }, (_, i) => i * ${
        n(97)
      } % 31).sort())`,
    (n) =>
      `console.log(JSON.stringify({ a: [${n(9)}, null], "ü": "${n(99)}" }))`,
    (n) => `console.log("${n(1e9)} ${n(1e9)}".match(/\\d{${n(2) + 1}}/g))`,
    (n) =>
      `console.log(new Map([[${n(9)}, "x"], ["y", { z: ${n(9)} }]]), new Set([${
        n(4)
      }, ${n(4)}]))`,
    (n) => `console.error("to the other stream ${n(99)}")`,
    (n) => `try { null.x${n(9)} } catch (error) { console.log(String(error)) }`,
    (n) =>
      `await new Promise((done) => setTimeout(done, ${
        n(3)
      })); console.log("waited")`,
    (n) =>
      `console.log(new URL("http://a.b/c?d=${
        n(99)
      }#e").href, new TextEncoder().encode("é${n(9)}"))`,
    (n) => `console.log(new Date(${n(2 ** 31)}000).toISOString())`,
    (n) =>
      `console.log([..."a${n(1e9)}"].reverse().join(""), (${n(1e6)}).toString(${
        n(34) + 2
      }))`,
    (n) =>
      `console.log(structuredClone({ d: new Date(${
        n(1e9)
      }), b: new Uint8Array([${n(99)}]) }))`,
    (n) => `if (${n(5)} === 0) throw new RangeError("${n(99)}")`,
    (n) =>
      `class A { #x = ${
        n(99)
      }; get x() { return this.#x } } console.log(new A().x, new A())`,
  ],
};

function program(lang: Lang, seed: number): string {
  const next = numbers(seed);
  const pool = statements[lang];
  const lines = Array.from(
    { length: 2 + next(6) },
    () => pool[next(pool.length)]!(next),
  );
  return lang === "javascript"
    ? lines.map((line) => `{ ${line} }`).join("\n")
    : lines.join("\n");
}

const bytes = ({ exitCode, stdout, stderr }: RunResult) => ({
  exitCode,
  stdout,
  stderr,
});

for (const lang of ["python", "javascript"] as const) {
  test(`${count[lang]} programs in ${lang} print the same bytes in both`, async () => {
    const limits = { memoryMb: 64, workspaceMb: 8, timeMs: 120_000 };
    const sessions: Session[] = [
      await createSession({ backend: "wasm", lang, limits }),
      await createSession({
        backend: "hyperlight",
        guest: "micro",
        lang,
        limits,
        acceptEmulatedHypervisor: true,
      }),
    ];
    try {
      for (let seed = 0; seed < count[lang]; seed++) {
        const code = program(lang, seed);
        const [process, machine] = await Promise.all(
          sessions.map(async (session) => bytes(await session.run(code))),
        );
        assert.deepEqual(machine, process, code);
      }
      const [process, machine] = await Promise.all(
        sessions.map(async (session) =>
          (await session.listFiles()).map(({ path, size, kind }) => ({
            path,
            size,
            kind,
          }))
        ),
      );
      assert.deepEqual(machine, process);
    } finally {
      await Promise.all(sessions.map((session) => session.close()));
    }
  });
}
