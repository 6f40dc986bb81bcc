/** What happens to sessions when an engine or a container goes away under them. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createSession } from "../../mod.ts";
import type { RunResult, SandboxError, Session } from "../../mod.ts";
import { DockerEngine } from "../../src/backends/container/docker/engine.ts";
import { thisMachine } from "../../src/backends/container/docker/surroundings.ts";
import { each, leavesNothing, type Tested, until } from "./engines.ts";
import { refused } from "./refused.ts";
import { image } from "./specs.ts";

/** How long anything here may take, in ms. */
const boundMs = 60_000;

const variable = { docker: "DOCKER_HOST", podman: "CONTAINER_HOST" } as const;

/** A way to an engine that can be cut. */
class Way {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #dir: string;
  readonly path: string;
  /** Takes connections and lets nothing through. */
  silent = false;

  constructor(to: string) {
    this.#dir = mkdtempSync(join(tmpdir(), "mote-way-"));
    this.path = join(this.#dir, "engine.sock");
    this.#server = createServer((near) => {
      this.#sockets.add(near);
      near.on("error", () => {});
      if (this.silent) return;
      const far = connect(to);
      this.#sockets.add(far);
      far.on("error", () => near.destroy());
      near.on("close", () => far.destroy());
      far.on("close", () => near.destroy());
      near.pipe(far).pipe(near);
    });
  }

  open(): Promise<void> {
    return new Promise((done) => this.#server.listen(this.path, done));
  }

  /** Everything that is connected is so no longer, and nothing can connect. */
  async cut(): Promise<void> {
    const closed = new Promise((done) => this.#server.close(done));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** How many connections there are. */
  get connections(): number {
    return [...this.#sockets].filter((socket) => !socket.destroyed).length;
  }
}

/** A session by way of a socket that can be cut. */
async function overWay(
  { name }: Tested,
  body: (way: Way) => Promise<void>,
): Promise<void> {
  const own = process.env[variable[name]];
  const way = new Way((own ?? "").replace(/^unix:\/\//, ""));
  await way.open();
  process.env[variable[name]] = `unix://${way.path}`;
  try {
    await body(way);
  } finally {
    process.env[variable[name]] = own;
    await way.cut();
  }
}

const open = ({ name }: Tested, more = {}): Promise<Session> =>
  createSession({ backend: name, lang: "bash", image, ...more });

/** A run that has begun, and its session's container. */
async function begun(
  tested: Tested,
  session: Session,
  code: string,
): Promise<{ run: Promise<RunResult>; container: string }> {
  let begin!: () => void;
  const beginning = new Promise<void>((done) => begin = done);
  const run = session.run(`echo begun\n${code}`, {
    onStdout: () => begin(),
  });
  run.catch(() => {});
  await Promise.race([beginning, run]);
  const filters = JSON.stringify({ label: ["mote.owner"] });
  const found = await tested.docker.listContainers({ filters });
  const mine = found.filter((one: { Labels: Record<string, string> }) =>
    one.Labels["mote.owner"]!.includes(`/${process.pid}/`)
  );
  assert.equal(mine.length, 1);
  return { run, container: mine[0].Id };
}

async function ended(
  run: Promise<RunResult>,
  code: string,
  words = /./,
): Promise<void> {
  const began = Date.now();
  await refused(run, code, words);
  assert.ok(Date.now() - began < boundMs);
}

const endless = "while :; do :; done";
const sleeping = "sleep 600";

each(
  "a container that is removed, killed or stopped from outside is replaced",
  (tested) =>
    leavesNothing(tested, async () => {
      const session = await open(tested);
      try {
        for (
          const [how, words] of [
            ["remove", /removed|killed/],
            ["kill", /killed/],
            ["stop", /killed|ended/],
          ] as const
        ) {
          const { run, container } = await begun(tested, session, sleeping);
          await tested.docker.getContainer(container)[how](
            how === "remove" ? { force: true } : how === "stop" ? { t: 0 } : {},
          ).catch(() => {});
          await ended(run, "GUEST_CRASHED", words);
          const next = await session.run("echo again");
          assert.equal(next.stdout, "again\n");
        }
      } finally {
        await session.close();
      }
    }),
);

each(
  "a container that is paused ends with its run's time",
  (tested) =>
    leavesNothing(tested, async () => {
      const session = await open(tested, { timeoutMs: 3_000 });
      try {
        const { run, container } = await begun(tested, session, sleeping);
        await tested.docker.getContainer(container).pause();
        await ended(run, "TIMED_OUT");
        assert.equal((await session.run("echo 1")).stdout, "1\n");
      } finally {
        await session.close();
      }
    }),
);

each(
  "an engine that goes away in mid-run ends the run, and comes back",
  (tested) =>
    leavesNothing(tested, async () => {
      await overWay(tested, async (way) => {
        const session = await open(tested);
        const { run } = await begun(tested, session, endless);
        await way.cut();
        await ended(run, "BACKEND_UNAVAILABLE", /no socket|nothing listens/);
        await refused(session.run("echo 1"), "BACKEND_UNAVAILABLE");
        await session.close().catch((error) =>
          assert.equal((error as SandboxError).code, "BACKEND_UNAVAILABLE")
        );
      });
      // The end of the connection was the end of the container; only its shell is left.
      const filters = JSON.stringify({ label: ["mote.owner"] });
      const mine = async () =>
        (await tested.docker.listContainers({ all: true, filters })).filter(
          (one: { Labels: Record<string, string>; State: string }) =>
            one.Labels["mote.owner"]!.includes(`/${process.pid}/`),
        );
      await until(
        "the end of the container",
        async () =>
          (await mine()).every((one: { State: string }) =>
            one.State !== "running"
          ),
      );
      for (const one of await mine()) {
        await tested.docker.getContainer(one.Id).remove({
          force: true,
          v: true,
        });
      }
      await dropVolumes(tested);
    }),
);

/** Removes volumes of this process that no container has any more. */
async function dropVolumes({ docker }: Tested): Promise<void> {
  const filters = JSON.stringify({ label: ["mote.owner"] });
  const { Volumes } = await docker.listVolumes({ filters });
  for (const { Name, Labels } of Volumes ?? []) {
    if (!Labels["mote.owner"].includes(`/${process.pid}/`)) continue;
    await docker.getVolume(Name).remove();
  }
}

each("a socket that is gone, and one that says nothing", async (tested) => {
  const { name } = tested;
  await overWay(tested, async (way) => {
    way.silent = true;
    const engine = new DockerEngine(name, thisMachine);
    const began = Date.now();
    const { available, reason } = await engine.probe();
    assert.equal(available, false);
    assert.match(reason, /gave no answer within 5000 ms/);
    assert.ok(Date.now() - began < 20_000);
  });
  const own = process.env[variable[name]];
  process.env[variable[name]] = "unix:///no/such/engine.sock";
  try {
    await refused(open(tested), "BACKEND_UNAVAILABLE", /no socket/);
  } finally {
    process.env[variable[name]] = own;
  }
});

each(
  "closed sessions leave no connection but a few idle ones",
  (tested) =>
    overWay(tested, async (way) => {
      for (let i = 0; i < 3; i++) {
        const sessions = await Promise.all([1, 2, 3].map(() => open(tested)));
        await Promise.all(sessions.map((session) => session.run("echo 1")));
        await Promise.all(sessions.map((session) => session.close()));
      }
      // Each has two ends here.
      await until("closing connections", () => way.connections <= 8);
    }),
);

each(
  "more memory than there is, and a full workspace",
  (tested) =>
    leavesNothing(tested, async () => {
      const session = await open(tested, {
        limits: { memoryMb: 64, workspaceMb: 8 },
      });
      try {
        const fill = "exec head -c 16M /dev/zero > big";
        await refused(session.run(fill), "DISK_EXCEEDED");
        const take = "exec python3 -c 'bytearray(1 << 30)'";
        await refused(session.run(take), "MEMORY_EXCEEDED");
        assert.equal((await session.run("echo 1")).stdout, "1\n");
      } finally {
        await session.close();
      }
    }),
);

/** Processor time that a container has used, in ns, and how many processes it has. */
async function usage(
  { docker }: Tested,
  container: string,
): Promise<{ cpu: number; processes: number }> {
  const { State } = await docker.getContainer(container).inspect();
  const groups = readFileSync(
    `/proc/${await hostPid(State.Pid, container)}/cgroup`,
    "utf8",
  );
  const path = (controller: string) =>
    groups.split("\n").find((line) =>
      line.split(":")[1]!.split(",").includes(controller)
    )
      ?.split(":")[2];
  const v1 = path("cpuacct");
  if (v1 !== undefined) {
    const cpu = Number(
      readFileSync(`/sys/fs/cgroup/cpuacct${v1}/cpuacct.usage`, "utf8"),
    );
    const procs = readFileSync(
      `/sys/fs/cgroup/cpuacct${v1}/cgroup.procs`,
      "utf8",
    );
    return { cpu, processes: procs.trim().split("\n").length };
  }
  const v2 = `/sys/fs/cgroup${groups.split("::")[1]!.trim()}`;
  const stat = readFileSync(`${v2}/cpu.stat`, "utf8");
  const procs = readFileSync(`${v2}/cgroup.procs`, "utf8");
  return {
    cpu: Number(/usage_usec (\d+)/.exec(stat)![1]) * 1_000,
    processes: procs.trim().split("\n").length,
  };
}

/** The number of a container's main process here, where the engine may have a namespace of its own. */
async function hostPid(pid: number, container: string): Promise<number> {
  const { readdirSync } = await import("node:fs");
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const groups = readFileSync(`/proc/${name}/cgroup`, "utf8");
      const status = readFileSync(`/proc/${name}/status`, "utf8");
      if (groups.includes(container) && /^NSpid:.*\s1$/m.test(status)) {
        return Number(name);
      }
    } catch {
      // It has ended.
    }
  }
  return pid;
}

const busy = [
  "for i in 1 2 3 4; do",
  "  setsid sh -c '(trap \"\" TERM; while :; do :; done) &'",
  "done",
  "setsid sh -c 'kill -STOP $$' &",
  endless,
].join("\n");

each(
  "a run whose time is over burns no processor any more",
  (tested) =>
    leavesNothing(tested, async () => {
      const session = await open(tested, { timeoutMs: 1_500 });
      try {
        const { run, container } = await begun(tested, session, busy);
        await ended(run, "TIMED_OUT");
        // The agent, and at most an interpreter that waits for the next run.
        await until("ending", async () => {
          const { processes } = await usage(tested, container);
          return processes <= 2;
        });
        const before = await usage(tested, container);
        const from = performance.now();
        await until("half a second", () => performance.now() - from > 500);
        const after = await usage(tested, container);
        const share = (after.cpu - before.cpu) / 1e6 /
          (performance.now() - from);
        assert.ok(share < 0.2, `${share} of a processor`);
        assert.equal((await session.run("echo 1")).stdout, "1\n");
      } finally {
        await session.close();
      }
    }),
);
