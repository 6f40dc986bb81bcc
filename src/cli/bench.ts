import { type AddCommand, examples } from "./command.ts";
import { Exit } from "./exit.ts";
import {
  addSessionOptions,
  type SessionFlags,
  sessionOptions,
} from "./session_options.ts";
import { type Surface, table } from "./terminal.ts";
import type { Figure } from "./bench_measure.ts";
import { usage } from "./values.ts";

interface Flags extends SessionFlags {
  readonly rounds: string;
  readonly json?: boolean;
}

/** `mote bench` */
export const addBench: AddCommand = (parent, choose) => {
  const bench = parent.command("bench")
    .summary("how fast sandboxes are on this machine")
    .description(
      "Measures a new session, a run, a call of a tool, and a process of this machine that prints the same, and checks " +
        "every answer. It takes seconds and says what this machine does now, under what else it does; the project's own " +
        "figures come from `deno task bench` in a checkout, which asks more and alternates with its peers.",
    )
    .option("-n, --rounds <number>", "how often each, 5 to 10000", "50")
    .option("--json", "as JSON, one object");
  addSessionOptions(bench, ["python", "javascript"]);
  examples(bench, [
    ["mote bench", "Python in what auto takes"],
    ["mote bench -l javascript -b wasm -n 500", "JavaScript in the process"],
  ]);
  bench.action((flags: Flags) => {
    const rounds = Number(flags.rounds);
    if (!Number.isInteger(rounds) || rounds < 5 || rounds > 10_000) {
      const cure = "Give a whole number from 5 to 10000";
      throw usage(`--rounds ${flags.rounds}`, "it is out of bounds", cure);
    }
    choose(async (surface) => {
      const [mod, { measure }, { default: process }] = await Promise.all([
        import("../../mod.ts"),
        import("./bench_measure.ts"),
        import("node:process"),
      ]);
      const lang = flags.lang === "javascript" ? "javascript" : "python";
      const options = sessionOptions(flags, lang);
      const opened = await mod.createSession({
        ...options,
        signal: surface.signal,
      });
      const { name, reason } = opened.backend;
      await opened.close();
      const { figures, unmeasured } = await measure(
        mod,
        options,
        lang,
        rounds,
        surface.signal,
      );
      const host = `${process.platform} ${process.arch}`;
      if (flags.json) {
        const all = { backend: name, reason, lang, host, figures, unmeasured };
        surface.out.write(`${JSON.stringify(all, null, 2)}\n`);
        return Exit.ok;
      }
      surface.out.write(`${lang} in ${name} (${reason}), ${host}\n\n`);
      _show(surface, figures);
      for (const { what, why } of unmeasured) {
        surface.out.write(`not measured: ${what}: ${why}\n`);
      }
      surface.out.write(
        `\n${rounds} rounds each after a first that is not counted, one after the other, on this machine as busy as it is.\n`,
      );
      return Exit.ok;
    });
  });
};

function _show(surface: Surface, figures: readonly Figure[]): void {
  table(
    surface,
    ["LEAST", "P50", "P95", "WHAT"],
    figures.map(({ leastMs, p50Ms, p95Ms, what }) => [
      _time(leastMs),
      _time(p50Ms),
      _time(p95Ms),
      what,
    ]),
  );
}

function _time(ms: number): string {
  return ms < 1 ? `${(ms * 1_000).toFixed(0)} µs` : `${ms.toPrecision(3)} ms`;
}
