/** How boxes begin and end, also when nobody ends them. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { DockerEngine } from "../../src/backends/container/docker/engine.ts";
import {
  labelOf,
  newName,
  thisProcess,
} from "../../src/backends/container/docker/leases.ts";
import type { SandboxError } from "../../mod.ts";
import {
  each,
  engines,
  leavesNothing,
  ours,
  said,
  saidBy,
  type Tested,
  until,
  withBox,
} from "./engines.ts";
import { refused } from "./refused.ts";
import { boxSpec, image, limits, noRights } from "./specs.ts";

each(
  "removing twice is removing once, and ten at a time work",
  (tested) =>
    leavesNothing(tested, async () => {
      const boxes = await Promise.all(
        Array.from({ length: 10 }, () => tested.engine.start(boxSpec("cat"))),
      );
      await Promise.all(boxes.flatMap((box) => [box.remove(), box.remove()]));
      await boxes[0]!.remove();
      await assert.rejects(boxes[0]!.channel.write(new Uint8Array(1)));
    }),
);

each(
  "a start that is aborted leaves nothing",
  (tested) =>
    leavesNothing(tested, async () => {
      const ended = Array.from({ length: 8 }, async (_, index) => {
        const control = new AbortController();
        setTimeout(() => control.abort(), index * 30);
        try {
          const box = await tested.engine.start(
            boxSpec("cat", { signal: control.signal }),
          );
          await box.remove();
        } catch (error) {
          assert.equal((error as SandboxError).code, "ABORTED");
        }
      });
      await Promise.all(ended);
    }),
);

each(
  "an image that is nowhere is named, with what the engine says",
  (tested) =>
    leavesNothing(tested, () =>
      refused(
        tested.engine.start(boxSpec("cat", {
          source: { kind: "image", image: "localhost:1/none/such:1" },
        })),
        "GUEST_NOT_FOUND",
        /localhost:1\/none\/such:1.*login.*load/s,
      )),
);

each(
  "options that the engine refuses are the caller's to correct",
  (tested) =>
    leavesNothing(tested, async () => {
      const start = (more: Parameters<typeof boxSpec>[1]) =>
        tested.engine.start(boxSpec("cat", more));
      await refused(
        start({ limits: { ...limits, memoryMb: 4 } }),
        "INVALID_OPTION",
        /limits\.memoryMb/,
      );
      await refused(
        start({ runtimeConfigs: { HostConfig: { Privileged: true } } }),
        "INVALID_OPTION",
        /runtimeConfigs\.HostConfig\.Privileged/,
      );
      await refused(
        start({ runtimeConfigs: { HostConfig: { Runtime: "no-such" } } }),
        "INVALID_OPTION",
        /no-such|containers\.conf/,
      );
      await refused(
        start({
          rights: { ...noRights, read: { "/mnt/x": "/no/such/folder" } },
        }),
        "INVALID_OPTION",
        /no\/such\/folder/,
      );
      await refused(
        start({ rights: { ...noRights, write: { "/mnt/x": "/" } } }),
        "INVALID_OPTION",
        /socket/,
      );
      await refused(start({ command: ["/no/such/program"] }), "GUEST_INVALID");
    }),
);

each("labels are passed on, and ours cannot be forged", async (tested) => {
  const runtimeConfigs = { Labels: { team: "blue" }, Hostname: "box" };
  const spec = boxSpec("hostname; cat", { runtimeConfigs });
  await withBox(tested, spec, async (box) => {
    const { Config } = await tested.docker.getContainer(box.id).inspect();
    assert.equal(Config.Labels.team, "blue");
    assert.equal(Config.Labels["mote.owner"], labelOf(thisProcess()));
    assert.equal(Config.Hostname, "box");
  });
  const forged = { Labels: { "mote.owner": "x" } };
  await refused(
    tested.engine.start(boxSpec("cat", { runtimeConfigs: forged })),
    "INVALID_OPTION",
  );
});

each(
  "folders of the host are read-only, or writable, as was said",
  async (tested) => {
    const { mkdtempSync, rmSync, writeFileSync, chmodSync } = await import(
      "node:fs"
    );
    const dir = mkdtempSync("/tmp/mote-containers-");
    try {
      writeFileSync(`${dir}/given`, "from the host\n");
      chmodSync(dir, 0o777);
      const text = await said(
        tested,
        "cat /mnt/in/given; touch /mnt/in/x 2>/dev/null || echo shut; echo back > /mnt/out/made",
        {
          rights: {
            ...noRights,
            read: { "/mnt/in": dir },
            write: { "/mnt/out": dir },
          },
        },
      );
      assert.equal(text, "from the host\nshut\n");
      assert.equal(readFileSync(`${dir}/made`, "utf8"), "back\n");
    } finally {
      rmSync(dir, { recursive: true });
    }
  },
);

each("another's container is attached to and stays", async (tested) => {
  const { docker, engine } = tested;
  const other = await docker.createContainer({
    Image: image,
    Cmd: ["sleep", "1000"],
    StopSignal: "SIGKILL",
    HostConfig: { NetworkMode: "none" },
  });
  try {
    await refused(
      engine.start(
        boxSpec("cat", { source: { kind: "container", id: other.id } }),
      ),
      "GUEST_NOT_FOUND",
      /start/,
    );
    await other.start();
    const source = { kind: "container", id: other.id } as const;
    const box = await engine.start(
      boxSpec("id -u; echo $GIVEN; cat", { source, env: { GIVEN: "value" } }),
    );
    assert.equal(box.alone, false);
    const output = box.channel.output[Symbol.asyncIterator]();
    let text = "";
    while (!text.endsWith("value\n")) {
      text += new TextDecoder().decode((await output.next()).value);
    }
    assert.equal(text, "65532\nvalue\n");
    await box.remove();
    const { State } = await other.inspect();
    assert.equal(State.Running, true);
    await refused(
      engine.start(
        boxSpec("cat", { source: { kind: "container", id: "none-such" } }),
      ),
      "GUEST_NOT_FOUND",
    );
  } finally {
    await other.remove({ force: true });
  }
});

each(
  "what was written to the image's folders can be kept as an image",
  (tested) =>
    leavesNothing(tested, async () => {
      const rights = { ...noRights, root: true, writableRoot: true };
      const name = await withBox(
        tested,
        boxSpec("echo kept > /opt/kept; echo; cat", { rights }),
        async (box) => {
          for await (const _ of box.channel.output) break;
          return await box.commit!();
        },
      );
      try {
        const source = { kind: "image", image: name } as const;
        assert.equal(await said(tested, "cat /opt/kept", { source }), "kept\n");
        const { Config } = await tested.docker.getImage(name).inspect();
        const own = (await tested.docker.getImage(image).inspect()).Config;
        assert.deepEqual(Config.Cmd, own.Cmd);
        assert.deepEqual(Config.Entrypoint ?? [], own.Entrypoint ?? []);
        assert.equal(Config.Labels["mote.owner"], "");
      } finally {
        await tested.docker.getImage(name).remove({ force: true });
      }
    }),
);

/** Starts a process that starts a box; resolves to both. */
async function fixture({ name }: Tested, how: string) {
  const file = new URL("./fixtures/open_and_wait.ts", import.meta.url);
  const args = ["run", "-A", "--no-check", fileURLToPath(file), name, how];
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(child.stdout, "data") as [Uint8Array];
  return { child, id: new TextDecoder().decode(line).trim() };
}

each(
  "a process that is killed leaves nothing after the next start",
  async (tested) => {
    const { child, id } = await fixture(tested, "waits");
    const live = await fixture(tested, "waits");
    try {
      assert.ok((await ours(tested)).includes(id));
      child.kill("SIGKILL");
      await once(child, "exit");
      const { docker } = tested;
      // The end of its input ends it, long before anybody looks for it.
      await until("stopping", async () => {
        const { State } = await docker.getContainer(id).inspect();
        return !State.Running;
      });
      // A process of its own reaps once; this one may have done so.
      await withBox(
        { ...tested, engine: new DockerEngine(tested.name) },
        boxSpec("true"),
        saidBy,
      );
      await until("reaping", async () => !(await ours(tested)).includes(id));
      const other = await docker.getContainer(live.id).inspect();
      assert.equal(other.State.Running, true, "another's was reaped");
    } finally {
      live.child.kill("SIGKILL");
      await once(live.child, "exit");
      await withBox(
        { ...tested, engine: new DockerEngine(tested.name) },
        boxSpec("true"),
        saidBy,
      );
      await until(
        "reaping",
        async () => !(await ours(tested)).includes(live.id),
      );
    }
  },
);

each("a process whose box is idle ends by itself", async (tested) => {
  const { child, id } = await fixture(tested, "ends");
  if (child.exitCode === null) await once(child, "exit");
  assert.equal(child.exitCode, 0);
  await withBox(
    { ...tested, engine: new DockerEngine(tested.name) },
    boxSpec("true"),
    saidBy,
  );
  await until("reaping", async () => !(await ours(tested)).includes(id));
});

each("what belongs to others is never reaped", async (tested) => {
  const { docker } = tested;
  const foreign = "0123456789abcdef/4000000/1";
  const make = (name: string, owner: string) =>
    docker.createContainer({
      name,
      Image: image,
      Cmd: ["true"],
      Labels: { "mote.owner": owner },
    });
  const made = await Promise.all([
    make(newName(), foreign),
    make(`web-${Date.now()}`, `${thisProcess().host}/4000000/1`),
    make(newName(), labelOf(thisProcess())),
  ]);
  const expired = await make(newName(Date.now() - 86_400_000), foreign);
  try {
    await withBox(
      { ...tested, engine: new DockerEngine(tested.name) },
      boxSpec("true"),
      saidBy,
    );
    await until(
      "reaping",
      async () => !(await ours(tested)).includes(expired.id),
    );
    const left = await ours(tested);
    for (const { id } of made) assert.ok(left.includes(id));
  } finally {
    for (const one of made) await one.remove({ force: true });
  }
});

test("a probe names what stands in the way", async () => {
  const at = (DOCKER_HOST: string) =>
    new DockerEngine("docker", () => ({
      platform: "linux",
      home: "/none",
      env: (name) => name === "DOCKER_HOST" ? DOCKER_HOST : undefined,
      read: () => undefined,
      exists: () => false,
    })).probe();
  assert.match(
    (await at("unix:///no/such.sock")).reason,
    /no socket.*systemctl/,
  );
  assert.match((await at("tcp://127.0.0.1:1")).reason, /nothing listens/);
  assert.match((await at("ssh://user@host")).reason, /ssh.*Forward/);
  for (const { engine, name } of engines) {
    const { available, reason, details } = await engine.probe();
    assert.equal(available, true, reason);
    assert.match(reason, new RegExp(`^${name} \\d`));
    assert.equal(details?.seccomp, true);
  }
});
