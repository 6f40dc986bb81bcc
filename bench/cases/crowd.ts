import { createSession } from "../../mod.ts";
import { atLeast, type Benchmark, type Row } from "../bench.ts";
import { summarize } from "../measure.ts";
import { child } from "../process.ts";
import { assertOutput, hello, type Lang, since } from "../peers/peer.ts";

const goals = { python: 4_000, javascript: 30_000 } as const;

export const crowd: Benchmark = {
  name: "crowd",
  question:
    "How long do 100 new sessions at once take, and how many fresh runs a second go on for a minute?",
  async run(quick) {
    const rows: Row[] = [];
    for (const lang of ["python", "javascript"] as const) {
      const samples: number[] = [];
      for (let i = 0; i < (quick ? 3 : 30); i++) {
        samples.push(await atOnce(lang));
      }
      rows.push({
        what: `100 sessions at once, all closed, ${lang}`,
        unit: "ms",
        figures: summarize(samples.map((us) => us / 1000)),
      });
      const { perSecond, startKb, endKb } = await child<{
        perSecond: number[];
        startKb: number;
        endKb: number;
      }>("sustained", [lang, quick ? "5" : "60"]);
      const figures = summarize(perSecond);
      const grown = ((endKb - startKb) / 1024).toFixed(1);
      rows.push({
        what: `fresh runs a second, ${lang}`,
        unit: "1/s",
        figures,
        ratio: `memory ${grown} MiB more at the end`,
        goal: atLeast(figures.p50, goals[lang], "1/s"),
      });
    }
    return { rows };
  },
};

async function atOnce(lang: Lang): Promise<number> {
  const started = performance.now();
  await Promise.all(Array.from({ length: 100 }, async () => {
    const session = await createSession({ backend: "wasm", lang });
    assertOutput(lang, (await session.run(hello[lang])).stdout, "hi\n");
    await session.close();
  }));
  return since(started);
}
