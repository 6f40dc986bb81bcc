import { createSession, SandboxError, type Session } from "../../mod.ts";
import type { Benchmark, Row } from "../bench.ts";
import { interleave, type Subject, summarize } from "../measure.ts";
import { assertOutput, type Lang, since } from "../peers/peer.ts";

const programs = {
  python: {
    output: "print('x' * 1023)",
    echo: "import sys\nsys.stdout.buffer.write(sys.stdin.buffer.read())",
    loop: "while True: pass",
  },
  javascript: {
    output: "console.log('x'.repeat(1023))",
    echo:
      "import fs from 'node:fs';\nprocess.stdout.write(fs.readFileSync(0));",
    loop: "for (;;) {}",
  },
} as const;

const mebibyte = "y".repeat(1_048_576);

export const edges: Benchmark = {
  name: "edges",
  question:
    "How long do a run with 1 KB of output, one with 1 MiB in and out, an interrupt of an endless loop, and closing take?",
  async run(quick) {
    const rows: Row[] = [];
    for (const lang of ["python", "javascript"] as const) {
      const session = await createSession({ backend: "wasm", lang });
      const series = await interleave(subjects(session, lang), quick ? 3 : 30);
      await session.close();
      for (const [what, samples] of series) {
        rows.push({
          what: `${what}, ${lang}`,
          unit: "µs",
          figures: summarize(samples),
        });
      }
    }
    return { rows };
  },
};

function subjects(session: Session, lang: Lang): Subject[] {
  const code = programs[lang];
  const prints = async (program: string, expected: string, stdin = "") => {
    const started = performance.now();
    const { stdout } = await session.run(program, { stdin });
    const us = since(started);
    assertOutput(lang, stdout, expected);
    return us;
  };
  return [
    {
      name: "1 KB of output",
      perRound: 10,
      sample: () => prints(code.output, `${"x".repeat(1023)}\n`),
    },
    {
      name: "1 MiB in and out",
      perRound: 2,
      sample: () => prints(code.echo, mebibyte, mebibyte),
    },
    {
      name: "interrupt",
      perRound: 1,
      sample: () => interrupt(session, code.loop),
    },
    { name: "close", perRound: 5, sample: () => close(lang) },
  ];
}

/** From the caller's abort to the end of the run. */
async function interrupt(session: Session, loop: string): Promise<number> {
  const stop = new AbortController();
  const run = session.run(loop, { signal: stop.signal });
  const ended = run.then(() => undefined, (error: unknown) => error);
  await new Promise((wake) => setTimeout(wake, 5));
  const started = performance.now();
  stop.abort();
  const error = await ended;
  if (!(error instanceof SandboxError) || error.code !== "ABORTED") throw error;
  return since(started);
}

async function close(lang: Lang): Promise<number> {
  const session = await createSession({ backend: "wasm", lang });
  await session.run("");
  const started = performance.now();
  await session.close();
  return since(started);
}
