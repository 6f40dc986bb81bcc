import { createSession, type Session } from "../../mod.ts";
import { atMost, type Benchmark, type Row } from "../bench.ts";
import { interleave, type Subject, summarize } from "../measure.ts";

const languages = [
  { lang: "python", code: "print('hi')", goalUs: 300 },
  { lang: "javascript", code: "console.log('hi')", goalUs: 40 },
] as const;

export const run: Benchmark = {
  name: "run",
  question:
    "How long does a fresh run take in an open session, and how much of it is TypeScript and FFI?",
  async run(quick) {
    const sessions: Session[] = [];
    const added = new Map<string, number[]>();
    const subjects: Subject[] = [];
    for (const { lang, code } of languages) {
      const session = await createSession({ backend: "wasm", lang });
      sessions.push(session);
      const overhead: number[] = [];
      added.set(lang, overhead);
      subjects.push({
        name: lang,
        perRound: 50,
        sample: async () => {
          const started = performance.now();
          const result = await session.run(code);
          const us = (performance.now() - started) * 1000;
          if (result.stdout !== "hi\n") throw new Error(result.stderr);
          overhead.push(us - result.timings.totalMs * 1000);
          return us;
        },
      });
    }
    const series = await interleave(subjects, quick ? 6 : 40);
    for (const session of sessions) await session.close();
    const rows: Row[] = [];
    for (const { lang, goalUs } of languages) {
      const figures = summarize(series.get(lang)!);
      rows.push({
        what: `fresh run, ${lang}`,
        unit: "µs",
        figures,
        goal: atMost(figures.p50, goalUs, "µs"),
      });
    }
    for (const { lang } of languages) {
      const figures = summarize(added.get(lang)!.slice(50));
      rows.push({
        what: `added by TypeScript and FFI, ${lang}`,
        unit: "µs",
        figures,
        goal: atMost(figures.p50, 25, "µs"),
      });
    }
    return { rows };
  },
};
