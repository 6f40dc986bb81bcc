/** Pools of containers: each user has a container of his own, which is gone after him. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { createPool, probe } from "@mote/sandbox";
import { languages } from "../../src/languages/languages.ts";

const prefix = process.env.MOTE_TEST_IMAGES;
const image = prefix ? `${prefix}cpp:1` : languages.bash.container!.image;
const { available, reason } = (await probe()).docker;
const skip = available ? false : reason;

const options = { backend: "docker", lang: "bash", image } as const;

async function until(what: () => boolean, name: string): Promise<void> {
  for (let ms = 0; !what(); ms += 20) {
    assert.ok(ms < 30_000, `never: ${name}`);
    await new Promise((go) => setTimeout(go, 20));
  }
}

/** Containers of this process, by the engine's own client. */
function containers(): string[] {
  const format = '{{.ID}} {{.Label "mote.owner"}}';
  return execFileSync("docker", [
    "ps",
    "--all",
    "--no-trunc",
    "--format",
    format,
  ], { encoding: "utf8" }).split("\n")
    .filter((line) => line.includes(`/${process.pid}/`))
    .map((line) => line.split(" ")[0]!);
}

test("nothing of one user reaches the next", { skip }, async () => {
  const pool = await createPool({ ...options, min: 1, max: 2 });
  try {
    const hosts = new Set<string>();
    for (let user = 0; user < 4; user++) {
      const session = await pool.acquire();
      const { stdout, stderr } = await session.run(`
hostname
ls -A /sandbox /site-packages /dev/shm
ls -A /tmp | grep -v '^\\.'
for one in /proc/[0-9]*; do cat $one/comm; done 2>/dev/null | grep -c '^left$'
`);
      const [host, ...left] = stdout.trim().split("\n");
      assert.ok(!hosts.has(host!), "a container came back");
      hosts.add(host!);
      assert.deepEqual(
        left.filter((line) => !/^\/|^$/.test(line)),
        ["0"],
        stdout + stderr,
      );
      const dirty = await session.run(`
echo mine > /sandbox/file; echo mine > /tmp/file; echo mine > /dev/shm/file
cp "$(command -v sleep)" /tmp/left; setsid /tmp/left 1000 >/dev/null 2>&1 &
disown; echo made
`);
      assert.equal(dirty.stdout, "made\n", dirty.stderr);
      await session.close();
    }
    assert.equal(pool.stats().reused, 0);
  } finally {
    await pool.close();
  }
});

test(
  "a ready container that is removed from outside is replaced",
  { skip },
  async () => {
    const pool = await createPool({
      ...options,
      min: 1,
      max: 2,
      healthCheckMs: 200,
    });
    try {
      const [id] = containers();
      if (id === undefined) assert.fail("there is no container");
      execFileSync("docker", ["rm", "--force", id]);
      await until(() => pool.stats().failures > 0, "the loss is seen");
      await until(() => pool.stats().ready === 1, "another is ready");
      const { stdout } = await pool.run("echo hi");
      assert.equal(stdout, "hi\n");
    } finally {
      await pool.close();
    }
  },
);

test(
  "twenty users over four containers, and none is left",
  { skip },
  async () => {
    const pool = await createPool({ ...options, min: 2, max: 4 });
    try {
      await Promise.all([...Array(20).keys()].map(async (user) => {
        const { stdout } = await pool.run(`echo ${user}; sleep 0.05`);
        assert.equal(stdout, `${user}\n`);
      }));
      assert.equal(pool.stats().failures, 0);
    } finally {
      await pool.close();
    }
    assert.deepEqual(containers(), []);
  },
);

test("what cannot be new for each user is refused", { skip }, async () => {
  const bare = { backend: "docker", lang: "bash", min: 0 } as const;
  await assert.rejects(createPool({ ...bare, maxUses: 2 }), {
    code: "UNSUPPORTED",
  });
  await assert.rejects(createPool({ ...bare, containerId: "x" }), {
    code: "INVALID_OPTION",
  });
  await assert.rejects(createPool({ ...bare, commitContainer: true }), {
    code: "INVALID_OPTION",
  });
});

test(
  "an image that is not there is the error of the pool",
  { skip },
  async () => {
    const none = createPool({ ...options, image: "mote-test/nothing-here:1" });
    await assert.rejects(none, /nothing-here/);
  },
);
