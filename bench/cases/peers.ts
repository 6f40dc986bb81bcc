import type { Benchmark, Missing, Row } from "../bench.ts";
import { interleave, type Subject, summarize } from "../measure.ts";
import { hello, type Peer } from "../peers/peer.ts";
import { peers } from "../peers/peers.ts";

/** Samples by how long one takes: quick things are asked often, none less than 30 times. */
function perRound(us: number): number {
  return us < 2_000 ? 10 : us < 50_000 ? 3 : 1;
}

export const startOfPeers: Benchmark = {
  name: "peers",
  question:
    "How long from nothing to the first output byte, behind each wall and with what one would take instead?",
  async run(quick) {
    const missing: Missing[] = [];
    const there: { peer: Peer; subject: Subject }[] = [];
    try {
      for (const peer of peers) {
        const what = `${peer.name}, ${peer.lang}`;
        const why = await peer.missing();
        if (why !== undefined) {
          missing.push({ what, why });
          continue;
        }
        const sample = () => peer.fresh(hello[peer.lang], "hi\n");
        // The first is never counted, and says how many more there can be.
        const started = performance.now();
        await sample();
        const us = (performance.now() - started) * 1000;
        there.push({
          peer,
          subject: { name: what, perRound: perRound(us), sample },
        });
      }
      const subjects = there.map(({ subject }) => subject);
      const series = await interleave(subjects, quick ? 2 : 30);
      return { rows: rowsOf(there, series), missing };
    } finally {
      for (const { peer } of there) await peer.close?.();
    }
  },
};

function rowsOf(
  there: readonly { peer: Peer; subject: Subject }[],
  series: ReadonlyMap<string, number[]>,
): Row[] {
  const p50 = (what: string) => {
    const samples = series.get(what);
    return samples && summarize(samples).p50;
  };
  return there.map(({ peer, subject }) => {
    const figures = summarize(series.get(subject.name)!);
    const host = p50(
      peer.lang === "python"
        ? "python3 process, python"
        : "node process, javascript",
    );
    return {
      what: subject.name,
      unit: "µs",
      figures,
      ...(host !== undefined && {
        ratio: `${
          Number((figures.p50 / host).toPrecision(2))
        } of the host process's`,
      }),
    };
  });
}
