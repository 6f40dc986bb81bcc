/** Pools over real walls and over the double: what one user leaves, no other finds. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createPool,
  type Pool,
  type PoolOptions,
  SandboxError,
  type SandboxErrorCode,
  type Session,
} from "@mote/sandbox";
import { createMemoryPool } from "@mote/sandbox/testing";
import { programs } from "../conformance/programs.ts";

async function refused(
  work: Promise<unknown>,
  code: SandboxErrorCode,
): Promise<SandboxError> {
  const error: unknown = await work.then(() => undefined, (error) => error);
  assert.ok(error instanceof SandboxError, `${code} expected`);
  assert.equal(error.code, code, error.message);
  assert.match(error.message, /^Cannot [^:]+: .+\. .+\.$/s);
  return error;
}

type Options = Pick<
  PoolOptions,
  "min" | "max" | "maxUses" | "interactive" | "onExhausted" | "limits"
>;

const targets: readonly {
  name: string;
  lang: string;
  open(options: Options): Promise<Pool>;
}[] = [
  {
    name: "double",
    lang: "script",
    open: (options) => createMemoryPool(options),
  },
  {
    name: "wasm/python",
    lang: "python",
    open: (options) => createPool({ ...options, backend: "wasm" }),
  },
  {
    name: "wasm/javascript",
    lang: "javascript",
    open: (options) =>
      createPool({ ...options, backend: "wasm", lang: "javascript" }),
  },
];

for (const { name, lang, open } of targets) {
  const code = programs[lang]!;

  const with_ = async (
    options: Options,
    body: (pool: Pool) => Promise<void>,
  ) => {
    const pool = await open(options);
    try {
      await body(pool);
    } finally {
      await pool.close();
    }
  };
  const use = async <T>(pool: Pool, body: (session: Session) => Promise<T>) => {
    const session = await pool.acquire();
    try {
      return await body(session);
    } finally {
      await session.close();
    }
  };

  for (const maxUses of [1, 50]) {
    test(`${name}, maxUses ${maxUses}: no files of another user`, () =>
      with_({ max: 1, maxUses }, async (pool) => {
        for (let user = 0; user < 5; user++) {
          await use(pool, async (session) => {
            assert.deepEqual(await session.listFiles(), []);
            assert.equal(
              (await session.run(code.read("secret"))).exitCode,
              1,
            );
            await session.run(code.write("secret", `of user ${user}`));
            const { stdout } = await session.run(code.read("secret"));
            assert.equal(stdout, `of user ${user}`);
          });
        }
        assert.equal(pool.stats().reused > 0, maxUses > 1);
      }));

    test(`${name}, maxUses ${maxUses}: no state of another user`, () =>
      with_({ max: 1, maxUses, interactive: true }, async (pool) => {
        for (let user = 0; user < 3; user++) {
          await use(pool, async (session) => {
            const before = await session.run(code.getState("kept"));
            assert.equal(before.exitCode, 1, before.stdout);
            await session.run(code.setState("kept", user));
            const { stdout } = await session.run(code.getState("kept"));
            assert.equal(stdout, `${user}\n`);
          });
        }
      }));

    test(`${name}, maxUses ${maxUses}: what a user keeps of a session is worth nothing after it`, () =>
      with_({ max: 1, maxUses }, async (pool) => {
        const session = await pool.acquire();
        const { artifacts } = await session.run(code.write("mine", "one"));
        assert.equal(artifacts.length, 1);
        await session.close();
        await session.close();
        await use(pool, async (other) => {
          await other.run(code.write("mine", "two"));
          await refused(artifacts[0]!.bytes(), "SESSION_CLOSED");
          await refused(session.run(code.print("x")), "SESSION_CLOSED");
          await refused(session.listFiles(), "SESSION_CLOSED");
          await assert.rejects(async () => {
            for await (const _ of session.stream(code.print("x")));
          }, { code: "SESSION_CLOSED" });
        });
      }));

    test(`${name}, maxUses ${maxUses}: giving back ends what runs, and the next user meets nothing of it`, () =>
      with_({ max: 1, maxUses }, async (pool) => {
        const session = await pool.acquire();
        const running = session.run(code.loopForever);
        const failed = refused(running, "SESSION_CLOSED");
        await session.close();
        await failed;
        await use(pool, async (next) => {
          assert.equal((await next.run(code.print("hi"))).stdout, "hi\n");
        });
      }));
  }

  test(`${name}: a failing run costs nobody but its user anything`, () =>
    with_({ max: 2 }, async (pool) => {
      const slow = pool.run(code.loopForever, { timeoutMs: 100 });
      await refused(slow, "TIMED_OUT");
      assert.equal((await pool.run(code.print("hi"))).stdout, "hi\n");
    }));

  test(`${name}: a hundred runs by twenty users over four sessions`, () =>
    with_({ min: 2, max: 4, maxUses: 5 }, async (pool) => {
      let busy = 0;
      await Promise.all([...Array(20).keys()].map(async (user) => {
        for (let n = 0; n < 5; n++) {
          const session = await pool.acquire();
          busy++;
          assert.ok(busy <= 4);
          const text = `${user} ${n}`;
          assert.equal(
            (await session.run(code.print(text))).stdout,
            `${text}\n`,
          );
          busy--;
          await session.close();
        }
      }));
      const { acquired, failures } = pool.stats();
      assert.deepEqual([acquired, failures], [100, 0]);
    }));

  test(`${name}: run has the options of a session's run`, () =>
    with_({ min: 0 }, async (pool) => {
      const { stdout } = await pool.run(code.echoStdin, { stdin: "in" });
      assert.equal(stdout, "in");
      const control = new AbortController();
      control.abort();
      const { signal } = control;
      await refused(pool.run(code.print("x"), { signal }), "ABORTED");
      // deno-lint-ignore no-explicit-any
      const odd = { timeout: 5 } as any;
      await refused(pool.run(code.print("x"), odd), "INVALID_OPTION");
    }));
}

test("libraries are there for each user, also where a wall was made as new", async () => {
  const pool = await createPool({
    backend: "wasm",
    libraries: ["humanize"],
    max: 1,
    maxUses: 10,
  });
  for (let user = 0; user < 3; user++) {
    const session = await pool.acquire();
    const { stdout, stderr, receipt } = await session.run(
      "import humanize; print(humanize.intcomma(12345))",
    );
    assert.equal(stdout, "12,345\n", stderr);
    assert.ok(receipt.libraries.some(({ name }) => name === "humanize"));
    assert.equal((await session.run("import idna")).exitCode, 1);
    await session.install(["idna"]);
    assert.equal((await session.run("import idna")).exitCode, 0);
    await session.close();
  }
  assert.equal(pool.stats().opened, 1);
  await pool.close();
});

test("options of a pool are checked when it is opened", async () => {
  for (
    const [options, message] of [
      [{ min: 3, max: 2 }, /min: it is 3 and max is 2/],
      [{ max: 0 }, /max/],
      [{ maxx: 1 }, /nearest one is max/],
      [{ idle_timeout: 1 }, /nearest one is idleTimeoutMs/],
      [{ timeout: 1 }, /nearest one is timeoutMs/],
      [{ onExhausted: "panic" }, /wait, fail, temporary/],
      [5, /no object/],
    ] as const
  ) {
    // deno-lint-ignore no-explicit-any
    const open = createPool(options as any);
    const error = await refused(open, "INVALID_OPTION");
    assert.match(error.message, message);
  }
  await refused(
    createPool({ backend: "wasm", limits: { cpus: 1 }, min: 0 }),
    "UNSUPPORTED",
  );
  const late = AbortSignal.abort(new Error("no"));
  await refused(createPool({ backend: "wasm", signal: late }), "ABORTED");
});

test("a closed pool says so", async () => {
  const pool = await createMemoryPool();
  const session = await pool.acquire();
  await Promise.all([pool.close(), pool.close()]);
  for (const work of [pool.acquire(), pool.run('["print", "x"]')]) {
    await refused(work, "SESSION_CLOSED");
  }
  await assert.rejects(session.run('["print", "x"]'), SandboxError);
  await session.close();
});
