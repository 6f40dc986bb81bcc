import { createSession } from "../../mod.ts";
import { atMost, type Benchmark, type Row, times } from "../bench.ts";
import { interleave, type Subject, summarize } from "../measure.ts";
import { firstByte, nativePython } from "../process.ts";

const hello = { python: "print('hi')", javascript: "console.log('hi')" };

/** µs from createSession to the first output byte seen by onStdout. */
async function newSession(lang: "python" | "javascript"): Promise<number> {
  let first = 0;
  const started = performance.now();
  const session = await createSession({ backend: "wasm", lang });
  const result = await session.run(hello[lang], {
    onStdout: () => void (first ||= performance.now()),
  });
  if (result.stdout !== "hi\n") throw new Error(`${lang}: ${result.stderr}`);
  await session.close();
  return (first - started) * 1000;
}

export const start: Benchmark = {
  name: "start",
  question: "How long from createSession to the first output byte?",
  async run(quick) {
    const python = await nativePython();
    const subjects: Subject[] = [
      {
        name: "mote python",
        perRound: 25,
        sample: () => newSession("python"),
      },
      {
        name: "mote javascript",
        perRound: 25,
        sample: () => newSession("javascript"),
      },
      {
        name: "node process",
        perRound: 2,
        sample: () => firstByte("node", ["-e", hello.javascript], "hi\n"),
      },
    ];
    if (python !== undefined) {
      subjects.push({
        name: "python3 process",
        perRound: 3,
        sample: () => firstByte(python, ["-I", "-c", hello.python], "hi\n"),
      });
    }
    const series = await interleave(subjects, quick ? 5 : 20);
    const rows: Row[] = [...series].map(([what, samples]) => ({
      what,
      unit: "µs",
      figures: summarize(samples),
    }));
    const p50 = (what: string) =>
      rows.find((row) => row.what === what)?.figures.p50;
    const ours = rows[0]!, script = rows[1]!, host = p50("python3 process");
    ours.goal = atMost(ours.figures.p50, 500, "µs");
    script.goal = atMost(script.figures.p50, 60, "µs");
    script.ratio = `${
      times(script.figures.p50, p50("node process")!)
    } faster than a node process`;
    if (host === undefined) {
      return {
        rows,
        missing: [{ what: "python3 process", why: "no CPython 3.11 found" }],
      };
    }
    ours.ratio = `${times(ours.figures.p50, host)} faster than python3 -I`;
    ours.goal.met &&= host / ours.figures.p50 >= 40;
    ours.goal.text += ", ≥ 40× python3";
    return { rows };
  },
};
