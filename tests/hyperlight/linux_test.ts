/** Native libraries in the linux guest, each proven by a program; needs the packages in the cache and a hypervisor. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { test } from "node:test";
import { createSession } from "@mote/sandbox";
import type { Session, SessionOptions } from "@mote/sandbox";
import { stacks } from "./packages.ts";

const chosen = process.env.MOTE_LINUX_PROGRAMS?.split(",") ?? [];

const expected: Record<string, string> = {
  numpy: "True\n45 [1.0, 2.0, 3.0]\n(60,) float64\n",
  pandas:
    "{'sum': {'Oslo': 8, 'Roma': 0}, 'mean': {'Oslo': 4.0, 'Roma': 0.0}}\n2024-01-01T00:00:00+01:00\n(3, 3)\n",
  matplotlib: "True agg\n",
  pillow: "(64, 48) True True PNG\n",
  scikit_learn: "True 38\n",
};

async function open(
  options: SessionOptions<"hyperlight">,
): Promise<Session> {
  return await createSession({
    backend: "hyperlight",
    acceptEmulatedHypervisor: true,
    timeoutMs: 600_000,
    limits: { memoryMb: 1_024 },
    ...options,
  });
}

for (const { name, libraries } of stacks) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  test(`${name} works`, async () => {
    const session = await open({ libraries });
    try {
      assert.match(session.backend.reason, /linux/);
      const program = new URL(`programs/${name}.py`, import.meta.url);
      const result = await session.run(await readFile(program, "utf8"));
      assert.equal(result.stdout, expected[name], result.stderr);
      assert.equal(result.exitCode, 0);
      const { totalMs } = result.timings;
      console.log(`${name}: ${totalMs.toFixed(0)} ms in this machine`);
    } finally {
      await session.close();
    }
  });
}

if (chosen.length === 0 || chosen.includes("preload")) {
  test("with preload a run pays only for itself", async () => {
    const session = await open({
      guest: "linux",
      libraries: ["numpy"],
      preload: ["numpy"],
    });
    try {
      const printed = await median(session, "print('hi')", "hi\n");
      const summed = await median(
        session,
        "import numpy as np\nprint(np.arange(10).sum())",
        "45\n",
      );
      const ratio = summed / printed;
      console.log(
        `print ${printed.toFixed(1)} ms, numpy ${summed.toFixed(1)} ms, ratio ${
          ratio.toFixed(2)
        }`,
      );
      assert.ok(ratio < 2, `${ratio}`);
      const rounds = 5;
      const random = new Set<string>();
      for (let round = 0; round < rounds; round++) {
        const drawn = await session.run(
          "import numpy as np, random, os\nprint(np.random.rand(), random.random(), os.urandom(4).hex())",
        );
        for (const word of drawn.stdout.trim().split(" ")) random.add(word);
      }
      assert.equal(random.size, 3 * rounds, "every restore has new randomness");
    } finally {
      await session.close();
    }
  });
}

/** Median of runs one after the other, in ms: each waits until the one before it is undone. */
async function median(
  session: Session,
  code: string,
  expected: string,
): Promise<number> {
  const spent: number[] = [];
  for (let round = 0; round < 16; round++) {
    const { stdout, stderr, timings } = await session.run(code);
    assert.equal(stdout, expected, stderr);
    if (round > 0) spent.push(timings.totalMs);
  }
  return spent.sort((a, b) => a - b)[spent.length >> 1]!;
}
