/** 10,000 runs leave no descriptor, thread, mapping or page behind. Linux only, as it reads /proc. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { createSession } from "@mote/sandbox";
import type { Session } from "@mote/sandbox";

/** What the kernel holds for this process. */
interface Usage {
  descriptors: number;
  threads: number;
  mappings: number;
  rssMb: number;
}

function usage(): Usage {
  const status = readFileSync("/proc/self/status", "utf8");
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]);
  return {
    descriptors: readdirSync("/proc/self/fd").length,
    threads: field("Threads"),
    mappings: readFileSync("/proc/self/maps", "utf8").split("\n").length,
    rssMb: field("VmRSS") / 1024,
  };
}

/** Growth within one measure that is no leak, such as the garbage collector's timing. */
const slack: Usage = { descriptors: 2, threads: 2, mappings: 40, rssMb: 16 };

/** Pools and heaps fill up to their size and then stay; a leak grows in every measure. */
const measures = 4;

/** Does the work until a measure of it leaves nothing behind; fails when none does. */
async function assertFlat(work: () => Promise<void>): Promise<void> {
  const seen: Usage[] = [usage()];
  for (let measure = 0; measure < measures; measure++) {
    await work();
    const before = seen.at(-1)!;
    const now = usage();
    seen.push(now);
    const keys = Object.keys(slack) as (keyof Usage)[];
    if (keys.every((key) => now[key] - before[key] <= slack[key])) return;
  }
  assert.fail(
    `grew in every measure: ${
      seen.map((one) => JSON.stringify(one)).join(" → ")
    }`,
  );
}

const code = { python: "print('x')", javascript: "console.log('x')" } as const;

type Lang = keyof typeof code;

const runsPerSession = 25;

/** Opens a session, runs in it, writes a file, closes it. */
async function round(lang: Lang): Promise<void> {
  const session: Session = await createSession({ backend: "wasm", lang });
  try {
    for (let run = 0; run < runsPerSession; run++) {
      assert.equal((await session.run(code[lang])).stdout, "x\n");
    }
  } finally {
    await session.close();
  }
}

async function rounds(lang: Lang, count: number): Promise<void> {
  for (let n = 0; n < count; n += 2) {
    await Promise.all([round(lang), round(lang)]);
  }
}

for (
  const [lang, runs] of [["python", 5_000], ["javascript", 5_000]] as const
) {
  test(`${runs} runs of ${lang} in ${runs / runsPerSession} sessions`, async () => {
    const half = runs / runsPerSession / 2;
    await rounds(lang, half);
    await assertFlat(() => rounds(lang, half));
  });
}

test("200 runs that end by their limits", async () => {
  const limits = { memoryMb: 64, outputBytes: 10_000, workspaceMb: 1 };
  const attacks = [
    "while True: pass",
    "x = []\nwhile True: x.append(bytearray(1 << 20))",
    "while True: print('x' * 1000)",
    "open('f', 'wb').write(bytes(1 << 22))",
    "1 / 0",
  ];
  const session = await createSession({
    backend: "wasm",
    lang: "python",
    limits,
  });
  const attack = async (count: number) => {
    for (let n = 0; n < count; n++) {
      const run = session.run(attacks[n % attacks.length]!, { timeoutMs: 50 });
      await run.catch((error) => assert.ok(error.result, String(error)));
    }
  };
  try {
    await attack(100);
    await assertFlat(() => attack(100));
  } finally {
    await session.close();
  }
});

test("500 sessions that are opened and closed without a run", async () => {
  const openAndClose = async (count: number) => {
    for (let n = 0; n < count; n++) {
      const session = await createSession({
        backend: "wasm",
        lang: "javascript",
      });
      await session.close();
    }
  };
  await openAndClose(250);
  await assertFlat(() => openAndClose(250));
});
