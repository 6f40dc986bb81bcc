import process from "node:process";
import { PassThrough } from "node:stream";
import Docker from "dockerode";
import { createPool, createSession, type Pool, probe } from "../../mod.ts";
import { languages } from "../../src/languages/languages.ts";
import {
  atMost,
  type Benchmark,
  type Missing,
  type Row,
  times,
} from "../bench.ts";
import { interleave, type Subject, summarize } from "../measure.ts";

const prefix = process.env.MOTE_TEST_IMAGES;
const image = prefix ? `${prefix}cpp:1` : languages.bash.container!.image;
const words = ["bash", "-c", "echo hi"];

async function elapsed(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) * 1_000;
}

async function ready(pool: Pool): Promise<void> {
  while (pool.stats().ready === 0) {
    await new Promise((go) => setTimeout(go, 1));
  }
}

/** A session that was ready, and a run in it; giving it back goes on behind. */
function warm(
  name: string,
  pool: Pool,
  code: string,
  perRound: number,
): Subject {
  return {
    name,
    perRound,
    sample: async () => {
      await ready(pool);
      let giveBack = () => Promise.resolve();
      const us = await elapsed(async () => {
        const session = await pool.acquire();
        giveBack = () => session.close();
        const { stdout, stderr } = await session.run(code);
        if (stdout !== "hi\n") throw new Error(stderr);
      });
      await giveBack();
      return us;
    },
  };
}

/** A program started in a container that runs, through the engine's API and nothing else. */
async function bareExec(): Promise<
  { subject: Subject; remove(): Promise<void> }
> {
  const docker = new Docker();
  const container = await docker.createContainer({
    Image: image,
    Cmd: ["sleep", "3600"],
    NetworkDisabled: true,
  });
  await container.start();
  const subject: Subject = {
    name: "bare exec",
    perRound: 3,
    sample: () =>
      elapsed(async () => {
        const exec = await container.exec({
          Cmd: words,
          AttachStdout: true,
          AttachStderr: true,
        });
        const stream = await exec.start({});
        const out = new PassThrough();
        container.modem.demuxStream(stream, out, new PassThrough());
        let text = "";
        out.on("data", (bytes) => text += String(bytes));
        await new Promise((go) => stream.on("end", go));
        const { ExitCode } = await exec.inspect();
        if (ExitCode !== 0 || text !== "hi\n") throw new Error(text);
      }),
  };
  return { subject, remove: () => container.remove({ force: true }) };
}

export const pool: Benchmark = {
  name: "pool",
  question:
    "How long does a session from a warm pool and a run in it take, next to what it replaces?",
  async run(quick) {
    const rows: Row[] = [];
    const missing: Missing[] = [];
    const wasm = await createPool({ backend: "wasm", lang: "python", min: 4 });
    const code = "print('hi')";
    const series = await interleave([
      warm("pool", wasm, code, 20),
      {
        name: "session",
        perRound: 20,
        sample: () =>
          elapsed(async () => {
            const session = await createSession({ backend: "wasm" });
            await session.run(code);
            await session.close();
          }),
      },
    ], quick ? 6 : 30);
    await wasm.close();
    const [pooled, opened] = ["pool", "session"].map((name) =>
      summarize(series.get(name)!)
    ) as [ReturnType<typeof summarize>, ReturnType<typeof summarize>];
    rows.push(
      {
        what: "acquire + run, wasm Python",
        unit: "µs",
        figures: pooled,
        ratio: `${times(pooled.p50, opened.p50)} of open + run + close`,
      },
      { what: "open + run + close, wasm Python", unit: "µs", figures: opened },
    );
    const { available, reason } = (await probe()).docker;
    if (!available) {
      missing.push({ what: "docker", why: reason });
      return { rows, missing };
    }
    const bare = await bareExec();
    const docker = await createPool({
      backend: "docker",
      lang: "bash",
      image,
      min: 2,
      max: 6,
    });
    try {
      const found = await interleave(
        [warm("pool", docker, "echo hi", 3), bare.subject],
        quick ? 5 : 20,
      );
      const [acquired, exec] = ["pool", "bare exec"].map((name) =>
        summarize(found.get(name)!)
      ) as [ReturnType<typeof summarize>, ReturnType<typeof summarize>];
      const ratio = acquired.p50 / exec.p50;
      rows.push(
        {
          what: "acquire + run, docker Bash",
          unit: "µs",
          figures: acquired,
          ratio: `${ratio.toFixed(2)} of a bare exec`,
          goal: atMost(Number(ratio.toFixed(2)), 1.1, "of a bare exec"),
        },
        { what: "bare exec through the API", unit: "µs", figures: exec },
      );
    } finally {
      await docker.close();
      await bare.remove();
    }
    return { rows, missing };
  },
};
