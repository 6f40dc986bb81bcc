import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atMost, type Benchmark } from "../bench.ts";
import { summarize } from "../measure.ts";
import { child } from "../process.ts";

interface FirstOutput {
  importMs: number;
  openMs: number;
  totalMs: number;
}

export const first: Benchmark = {
  name: "first",
  question:
    "How long does the first run on a machine take (the guest is compiled), and the first in a later process?",
  async run(quick) {
    const cold: number[] = [];
    const later: FirstOutput[] = [];
    const cache = mkdtempSync(join(tmpdir(), "mote-bench-"));
    try {
      for (let i = 0; i < (quick ? 1 : 3); i++) {
        rmSync(join(cache, "guests"), { recursive: true, force: true });
        cold.push(
          (await child<FirstOutput>("first_output", [], {
            MOTE_CACHE_DIR: cache,
          })).totalMs,
        );
      }
      for (let i = 0; i < (quick ? 5 : 30); i++) {
        later.push(
          await child<FirstOutput>("first_output", [], {
            MOTE_CACHE_DIR: cache,
          }),
        );
      }
    } finally {
      rmSync(cache, { recursive: true, force: true });
    }
    const coldMs = summarize(cold);
    const laterMs = summarize(later.map((l) => l.totalMs));
    return {
      rows: [
        {
          what: "first run ever, import to first byte",
          unit: "ms",
          figures: coldMs,
          goal: atMost(coldMs.p50, 15_000, "ms"),
        },
        {
          what: "later process, import to first byte",
          unit: "ms",
          figures: laterMs,
          goal: atMost(laterMs.p50, 20, "ms"),
        },
        {
          what: "  of it, the import",
          unit: "ms",
          figures: summarize(later.map((l) => l.importMs)),
        },
        {
          what: "  of it, createSession",
          unit: "ms",
          figures: summarize(later.map((l) => l.openMs)),
        },
      ],
    };
  },
};
