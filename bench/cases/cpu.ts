import { readFileSync } from "node:fs";
import { createSession } from "../../mod.ts";
import { atMost, type Benchmark, type Row } from "../bench.ts";
import { geometricMean, summarize } from "../measure.ts";
import { nativePython, output } from "../process.ts";

const programs = ["nbody", "fannkuch", "json_trip", "regex", "dicts"];

/** Each program prints a checksum and the seconds that its work took, without the interpreter's start. */
function parse(text: string): { checksum: string; seconds: number } {
  const [checksum, seconds] = text.trim().split(" ");
  return { checksum: checksum!, seconds: Number(seconds) };
}

export const cpu: Benchmark = {
  name: "cpu",
  question:
    "How much slower is CPU-bound Python than the same CPython version run natively?",
  async run(quick) {
    const python = await nativePython();
    if (python === undefined) {
      return {
        rows: [],
        missing: [{
          what: "native CPython 3.11",
          why: "no python3.11 found to compare with",
        }],
      };
    }
    const session = await createSession({ backend: "wasm", lang: "python" });
    const rows: Row[] = [];
    const ratios: number[] = [];
    for (const name of programs) {
      const code = readFileSync(
        new URL(`../programs/${name}.py`, import.meta.url),
        "utf8",
      );
      const guest: number[] = [], native: number[] = [], ratio: number[] = [];
      for (let i = 0; i < (quick ? 3 : 9); i++) {
        const host = parse(await output(python, ["-I", "-c", code]));
        const result = await session.run(code, { timeoutMs: 120_000 });
        const mote = parse(result.stdout);
        if (mote.checksum !== host.checksum) {
          throw new Error(
            `${name}: ${mote.checksum} is not ${host.checksum} ${result.stderr}`,
          );
        }
        guest.push(mote.seconds * 1000);
        native.push(host.seconds * 1000);
        ratio.push(mote.seconds / host.seconds);
      }
      const ratioFigures = summarize(ratio);
      ratios.push(ratioFigures.p50);
      rows.push(
        {
          what: `${name}, mote`,
          unit: "ms",
          figures: summarize(guest),
          ratio: `${ratioFigures.p50.toFixed(2)}× native`,
        },
        { what: `${name}, native`, unit: "ms", figures: summarize(native) },
      );
    }
    await session.close();
    const mean = geometricMean(ratios);
    rows.push({
      what: "geometric mean of the ratios",
      unit: "×",
      figures: summarize([mean]),
      goal: atMost(mean, 3.4, "×"),
    });
    return { rows };
  },
};
