import { atMost, type Benchmark, type Row } from "../bench.ts";
import { summarize } from "../measure.ts";
import { child } from "../process.ts";

export const live: Benchmark = {
  name: "live",
  question:
    "How much memory does one of 1,000 live sessions take, each with an interpreter that has printed once?",
  async run(quick) {
    const rows: Row[] = [];
    for (
      const [lang, goalKb] of [["python", 1024], ["javascript", 205]] as const
    ) {
      const samples: number[] = [];
      for (let i = 0; i < (quick ? 1 : 3); i++) {
        const { kbEach } = await child<{ kbEach: number }>("live", [
          lang,
          "1000",
        ]);
        samples.push(kbEach);
      }
      const figures = summarize(samples);
      rows.push({
        what: `PSS of one live session, ${lang}`,
        unit: "KiB",
        figures,
        goal: atMost(figures.p50, goalKb, "KiB"),
      });
    }
    return { rows };
  },
};
