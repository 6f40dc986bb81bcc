/** The agent without an engine: runs, files and their ends, over pipes of a child process. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { containerBackend } from "../../src/backends/container/backend.ts";
import { AgentClient } from "../../src/backends/container/agent/client.ts";
import type { Channel } from "../../src/backends/container/box.ts";
import {
  frameBytes,
  Tell,
} from "../../src/backends/container/agent/protocol.ts";
import type { LanguageData } from "../../src/languages/language.ts";
import { parseSessionOptions } from "../../src/options.ts";
import { openSession, type Session } from "../../src/session.ts";
import { bounded } from "../conformance/targets.ts";
import { alone, PlainEngine } from "./plain_box.ts";

const shell: LanguageData = {
  name: "bash",
  guest: null,
  code: "source",
  container: {
    image: "none",
    file: "main.sh",
    needs: ["sh"],
    run: ["sh", "{file}"],
    installer: "apt",
  },
};

/** Opens a session of shell scripts for as long as `body` takes. */
async function withShell(
  isolated: boolean,
  options: Record<string, unknown>,
  body: (session: Session, engine: PlainEngine) => Promise<void>,
): Promise<void> {
  const engine = new PlainEngine(isolated);
  const languages = { all: ["bash"], driven: [], install: [] } as const;
  const backend = containerBackend(engine, languages, engine.places);
  const session = await openSession(
    backend,
    "made for tests",
    parseSessionOptions({
      backend: "docker",
      lang: "bash",
      workdir: engine.places.sandbox,
      ...options,
    }),
    shell,
  );
  try {
    await body(session, engine);
  } finally {
    await bounded(session.close(), 10_000, "closing");
    engine.end();
  }
}

/** For a box in namespaces of its own, and for one beside everybody. */
function each(
  what: string,
  body: (session: Session, engine: PlainEngine) => Promise<void>,
  options: Record<string, unknown> = {},
): void {
  for (const isolated of [true, false]) {
    const name = isolated ? "first process" : "beside others";
    const skip = isolated && !alone && "unshare cannot make namespaces here";
    test(
      `agent, ${name}: ${what}`,
      { skip, timeout: 60_000 },
      () => withShell(isolated, options, body),
    );
  }
}

async function ended(run: Promise<unknown>, code: string): Promise<string> {
  try {
    await run;
  } catch (error) {
    const { code: seen, message, result } = error as {
      code: string;
      message: string;
      result?: { stdout: string };
    };
    assert.equal(seen, code, message);
    return result?.stdout ?? "";
  }
  assert.fail(`${code} expected`);
}

/** A mark that no other process of this machine has in its arguments. */
const mark = () => String(7_000_000 + Math.floor(Math.random() * 1_000_000));

/** Processes with this mark. */
const marked = (text: string) =>
  `grep -lsz -- '^${text}$' /proc/[0-9]*/cmdline | wc -l`;

each("output, exit code and input", async (session) => {
  const result = await session.run("cat; echo err >&2; exit 3", {
    stdin: "to the end",
  });
  assert.equal(result.stdout, "to the end");
  assert.equal(result.stderr, "err\n");
  assert.equal(result.exitCode, 3);
});

each("only descriptors of its own, and no new privileges", async (session) => {
  // The shell has its script as 10.
  const { stdout } = await session.run(
    "ls /proc/self/fd | grep -vx 10 | tr '\\n' ' '; grep NoNewPrivs /proc/self/status",
  );
  assert.match(stdout, /^0 1 2 3 NoNewPrivs:\s1\n$/);
});

each("what a run leaves behind is ended with it", async (session) => {
  const text = mark();
  await session.run(
    `sleep ${text} & (setsid sleep ${text} >/dev/null 2>&1 &) ; setsid sh -c 'sleep ${text} & exec sleep ${text}' &`,
  );
  assert.equal((await session.run(marked(text))).stdout.trim(), "0");
});

each(
  "a run that closes its output, stops itself or ignores signals",
  async (session) => {
    const closed = await session.run("exec >&- 2>&- <&-; sleep 0.1; exit 5");
    assert.equal(closed.exitCode, 5);
    const options = { timeoutMs: 300 };
    await ended(session.run("echo out; kill -STOP $$", options), "TIMED_OUT");
    const stubborn =
      "trap '' TERM INT HUP; echo out; while :; do sleep 1; done";
    assert.equal(
      await ended(session.run(stubborn, options), "TIMED_OUT"),
      "out\n",
    );
    assert.equal((await session.run("echo on")).stdout, "on\n");
  },
);

each("a time limit ends many processes", async (session) => {
  const text = mark();
  const many =
    `i=0; while [ $i -lt 60 ]; do (setsid sh -c 'while :; do :; done' ${text} &); i=$((i+1)); done; wait; sleep 100`;
  await ended(session.run(many, { timeoutMs: 500 }), "TIMED_OUT");
  assert.equal((await session.run(marked(text))).stdout.trim(), "0");
});

each("time on the processor, of children too", async (session) => {
  const busy = "for n in 1 2; do sh -c 'while :; do :; done' & done; wait";
  await ended(session.run(busy), "TIMED_OUT");
}, { limits: { cpuMs: 300, timeMs: 20_000 } });

each("a program that is not there", async (session) => {
  const result = await session.run("exec /no/such/program");
  assert.equal(result.exitCode, 127);
});

test("agent, first process: nothing that its guest does ends it", {
  skip: !alone && "unshare cannot make namespaces here",
  timeout: 60_000,
}, () =>
  withShell(true, {}, async (session) => {
    const run = await session.run(
      "kill -9 1; kill -STOP 1; kill -9 -1; kill -0 1 && echo there",
    );
    assert.equal(run.stdout, "there\n");
    assert.equal((await session.run("echo on")).stdout, "on\n");
  }));

test(
  "agent: killed in mid-run, the run ends, and the next one starts another",
  { timeout: 60_000 },
  () =>
    withShell(false, {}, async (session, engine) => {
      const run = session.run("echo out; sleep 100 & wait");
      await wait(300);
      engine.started[0]!.kill("SIGKILL");
      await bounded(ended(run, "GUEST_CRASHED"), 10_000, "the run");
      assert.equal((await session.run("echo on")).stdout, "on\n");
      engine.started[1]!.kill("SIGKILL");
      await wait(100);
      await bounded(
        ended(session.listFiles(), "GUEST_CRASHED"),
        10_000,
        "files",
      );
      assert.deepEqual(await session.run("echo on").then((r) => r.exitCode), 0);
    }),
);

test("agent: it ends with its host, and everything with it", {
  timeout: 60_000,
}, () =>
  withShell(false, {}, async (session, engine) => {
    const text = mark();
    session.run(`sleep ${text} & (setsid sleep ${text} &); wait`).catch(
      () => {},
    );
    await wait(300);
    const child = engine.started[0]!;
    const over = new Promise((resolve) => child.on("exit", resolve));
    child.stdin!.destroy();
    await bounded(over, 10_000, "the agent's end");
    assert.equal(
      (await session.run(marked(text)).catch(() => session.run(marked(text))))
        .stdout.trim(),
      "0",
    );
  }));

/** A channel that says this, and nothing more unless it stays open. */
function channel(says: readonly Uint8Array[], staysOpen: boolean): Channel {
  return {
    output: (async function* () {
      yield* says;
      if (staysOpen) await new Promise(() => {});
    })(),
    complaint: () => "",
    write: () => Promise.resolve(),
    close: () => {},
  };
}

const hello = frameBytes(
  Tell.hello,
  0,
  new Uint8Array([...new TextEncoder().encode("mote"), 1, 0, 0, 0]),
);
const config = {
  alone: false,
  newPrivileges: false,
  sockets: true,
  processes: 0,
  places: {
    sandbox: "/",
    libraries: "/",
    agent: "/",
    run: "/",
    temporary: "/",
  },
};

for (
  const [what, says, open] of [
    ["says nothing", [], true],
    ["ends at once", [], false],
    ["says nonsense", [new TextEncoder().encode("sh: not found\n")], true],
    ["says hello and no more", [hello], false],
    ["claims a frame of 4 GiB", [new Uint8Array(9).fill(255)], true],
  ] as const
) {
  test(`agent: one that ${what} is given up`, { timeout: 10_000 }, async () => {
    const connecting = AgentClient.connect(channel(says, open), config, 300);
    await assert.rejects(bounded(connecting, 5_000, "connecting"));
  });
}

test("agent: the committed program is the one that is named", () => {
  const dir = new URL("../../guests/images/", import.meta.url);
  const images = JSON.parse(readFileSync(new URL("images.json", dir), "utf8"));
  const program = readFileSync(new URL("agent", dir));
  const hash = createHash("sha256").update(program).digest("hex");
  assert.equal(hash, images.agent.sha256);
});
