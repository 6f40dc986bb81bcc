import { spawnSync } from "node:child_process";
import process from "node:process";
import type { Duplex } from "node:stream";
import Dockerode from "dockerode";
import { createSession, probe } from "../../mod.ts";
import { findEndpoint } from "../../src/backends/container/docker/find.ts";
import { thisMachine } from "../../src/backends/container/docker/surroundings.ts";
import type { Benchmark, Missing, Row } from "../bench.ts";
import { interleave, type Subject, summarize } from "../measure.ts";
import { firstByte } from "../process.ts";

type Engine = "docker" | "podman";

const code = "print('hi')";
const command = ["python3", "-c", code];

const prefix = process.env.MOTE_TEST_IMAGES;
const image = prefix === undefined ? "python:3-slim" : `${prefix}python:1`;

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const started = performance.now();
  await work();
  return (performance.now() - started) * 1000;
};

/** The engine's own client; podman's speaks to the service, as Mote does. */
function client(engine: Engine): [string, string[]] {
  const remote = engine === "podman" && process.env.CONTAINER_HOST;
  return [engine, remote ? ["--remote"] : []];
}

function clientRun(engine: Engine, flags: string[]): Promise<number> {
  const [program, options] = client(engine);
  const args = [...options, "run", "--rm", ...flags, image, ...command];
  return timed(() => firstByte(program, args, "hi\n"));
}

function session(backend: Engine): Promise<number> {
  return timed(async () => {
    const session = await createSession({ backend, image });
    const { stdout, stderr } = await session.run(code);
    if (stdout !== "hi\n") throw new Error(stderr);
    await session.close();
  });
}

/** The same command by an exec through the API in a container that runs already, output and exit code included. */
// deno-lint-ignore no-explicit-any -- dockerode has no types of its own
async function exec(container: any): Promise<void> {
  const made = await container.exec({
    Cmd: command,
    AttachStdout: true,
    AttachStderr: true,
  });
  const stream: Duplex = await made.start({ hijack: true });
  await new Promise((done) => stream.on("end", done).resume());
  const { ExitCode } = await made.inspect();
  if (ExitCode !== 0) throw new Error(`exec ended with ${ExitCode}`);
}

async function measure(
  engine: Engine,
  quick: boolean,
): Promise<Row[]> {
  const { at } = findEndpoint(engine, thisMachine());
  const docker = new Dockerode({ host: undefined, ...at });
  const warm = await createSession({ backend: engine, image });
  const bare = await docker.createContainer({
    Image: image,
    Cmd: ["sleep", "100000"],
    HostConfig: { NetworkMode: "none" },
  });
  try {
    await bare.start();
    const one = (name: string, sample: () => Promise<number>): Subject => ({
      name: `${engine}: ${name}`,
      perRound: 1,
      sample,
    });
    const subjects = [
      one("createSession + run + close", () => session(engine)),
      one("run --rm", () => clientRun(engine, [])),
      one(
        "run --rm --network none",
        () => clientRun(engine, ["--network", "none"]),
      ),
      one("run in an open session", () => timed(() => warm.run(code))),
      one("exec of the same through the API", () => timed(() => exec(bare))),
    ];
    const series = await interleave(subjects, quick ? 5 : 30);
    const rows: Row[] = [...series].map(([what, samples]) => ({
      what,
      unit: "ms",
      figures: summarize(samples.map((us) => us / 1_000)),
    }));
    const [fresh, plain, none, again, direct] = rows.map((row) =>
      row.figures.p50
    ) as [number, number, number, number, number];
    const times = (a: number, b: number) => `${(a / b).toFixed(2)} ×`;
    rows[0]!.ratio = `${times(fresh, plain)} run --rm, ${
      times(fresh, none)
    } without network`;
    rows[0]!.goal = {
      text: "≤ 1.0 × run --rm",
      met: fresh <= plain,
    };
    rows[3]!.ratio = `${times(again, direct)} exec`;
    rows[3]!.goal = { text: "≤ 1.1 × exec", met: again <= 1.1 * direct };
    return rows;
  } finally {
    await warm.close();
    await bare.remove({ force: true });
  }
}

export const containers: Benchmark = {
  name: "containers",
  question:
    "How long does a session in a container take, next to the engine's own client?",
  async run(quick) {
    const rows: Row[] = [];
    const missing: Missing[] = [];
    const status = await probe();
    for (const engine of ["docker", "podman"] as const) {
      const { available, reason } = status[engine];
      const [program] = client(engine);
      const found = spawnSync(program, ["--version"]).status === 0;
      if (available && found) rows.push(...await measure(engine, quick));
      else {
        const why = available ? `there is no program ${program}` : reason;
        missing.push({ what: engine, why });
      }
    }
    return { rows, missing };
  },
};
