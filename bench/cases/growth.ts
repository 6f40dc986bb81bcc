import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSession } from "../../mod.ts";
import { atMost, type Benchmark, type Curve, type Row } from "../bench.ts";
import { growthOf, summarize } from "../measure.ts";
import { assertOutput, hello, since } from "../peers/peer.ts";

/** One way to grow; `sample` answers ms. */
interface Way {
  readonly name: string;
  readonly unit: string;
  readonly sizes: readonly number[];
  readonly sample: (size: number) => Promise<number>;
}

const session = (limits = {}) =>
  createSession({ backend: "wasm", lang: "python", limits });

const ways: readonly Way[] = [
  {
    name: "sessions, opened, run and closed together",
    unit: "sessions",
    sizes: [1, 3, 10, 30, 100, 300, 1_000],
    async sample(count) {
      const started = performance.now();
      const all = await Promise.all(
        Array.from({ length: count }, () => session()),
      );
      for (
        const { stdout } of await Promise.all(
          all.map((one) => one.run(hello.python)),
        )
      ) {
        assertOutput("python", stdout, "hi\n");
      }
      await Promise.all(all.map((one) => one.close()));
      return since(started) / 1000;
    },
  },
  {
    name: "size of the code",
    unit: "bytes",
    sizes: [1e3, 1e4, 1e5, 1e6, 1e7],
    async sample(bytes) {
      const one = await session({ memoryMb: 2_048, timeMs: 120_000 });
      const line = `x = "${"a".repeat(92)}"\n`;
      const code = line.repeat(Math.round(bytes / line.length)) + hello.python;
      const started = performance.now();
      const { stdout, stderr } = await one.run(code);
      const ms = since(started) / 1000;
      assertOutput("python", stdout + stderr, "hi\n");
      await one.close();
      return ms;
    },
  },
  {
    name: "files, copied in and out",
    unit: "files",
    sizes: [1, 10, 100, 1_000, 9_000],
    async sample(count) {
      const dir = mkdtempSync(join(tmpdir(), "mote-growth-"));
      try {
        for (let n = 0; n < count; n++) {
          writeFileSync(join(dir, `${n}.txt`), `${n}`);
        }
        const one = await session();
        const started = performance.now();
        await one.copyToRuntime(dir, "in");
        await one.copyFromRuntime("in", join(dir, "out"));
        const ms = since(started) / 1000;
        const listed = await one.listFiles("in");
        if (listed.length !== count) throw new Error(`${listed.length} files`);
        await one.close();
        return ms;
      } finally {
        rmSync(dir, { recursive: true });
      }
    },
  },
  {
    name: "output",
    unit: "bytes",
    sizes: [1e3, 1e4, 1e5, 1e6, 1e7, 1e8],
    async sample(bytes) {
      const one = await session({ outputBytes: 200_000_000, timeMs: 120_000 });
      const code = `import sys\nfor n in range(${
        bytes / 1e3
      }): sys.stdout.write("z" * 999 + "\\n")`;
      const started = performance.now();
      let seen = 0;
      await one.run(code, {
        onStdout: (_, chunk) => void (seen += chunk.length),
      });
      const ms = since(started) / 1000;
      if (seen !== bytes) throw new Error(`${seen} bytes of ${bytes}`);
      await one.close();
      return ms;
    },
  },
];

export const growth: Benchmark = {
  name: "growth",
  question: "How does each cost grow with what it is of?",
  async run(quick) {
    const rows: Row[] = [];
    const curves: Curve[] = [];
    for (const { name, unit, sizes, sample } of ways) {
      const taken = quick ? sizes.slice(0, -1) : sizes;
      await sample(sizes[0]!);
      const points: { size: number; ms: number }[] = [];
      for (const size of taken) {
        const samples: number[] = [];
        for (let i = 0; i < (quick ? 1 : 5); i++) {
          samples.push(await sample(size));
        }
        points.push({ size, ms: summarize(samples).p50 });
      }
      const exponent = growthOf(points);
      curves.push({ name, unit, points, exponent });
      rows.push({
        what: `exponent of ${name}`,
        unit: "",
        figures: summarize([exponent]),
        goal: atMost(exponent, 1.05, ""),
      });
    }
    return { rows, curves };
  },
};
