import { createSession, tool } from "../../mod.ts";
import { z } from "zod";
import type { Benchmark, Row } from "../bench.ts";
import { summarize } from "../measure.ts";

const calls = 200;
const programs = {
  python: `import time
for _ in range(${calls}):
    t = time.perf_counter()
    tools.echo(x=1)
    print(time.perf_counter() - t)`,
  javascript: `for (let i = 0; i < ${calls}; i++) {
  const t = performance.now();
  await tools.echo({ x: 1 });
  console.log((performance.now() - t) / 1000);
}`,
};

export const tools: Benchmark = {
  name: "tools",
  question: "How long does one host-function call take, seen by the guest?",
  async run(quick) {
    const echo = tool({
      input: z.object({ x: z.number() }),
      output: z.object({ x: z.number() }),
      run: (input) => input,
    });
    const rows: Row[] = [];
    for (const lang of ["python", "javascript"] as const) {
      const session = await createSession({
        backend: "wasm",
        lang,
        tools: { echo },
      });
      const samples: number[] = [];
      for (let i = 0; i < (quick ? 3 : 10); i++) {
        const result = await session.run(programs[lang]);
        if (result.exitCode !== 0) throw new Error(result.stderr);
        const lines = result.stdout.trim().split("\n");
        samples.push(...lines.map((line) => Number(line) * 1e6));
      }
      await session.close();
      rows.push({
        what: `tool round trip, ${lang}`,
        unit: "µs",
        figures: summarize(samples),
      });
    }
    return { rows };
  },
};
