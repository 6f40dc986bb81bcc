/** Rules of a pool, one by one, over walls that only keep account. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { SandboxError } from "../../src/errors.ts";
import {
  type ParsedPoolLimits,
  parsePoolOptions,
} from "../../src/pool/options.ts";
import { SessionPool } from "../../src/pool/pool.ts";
import type { Session } from "../../src/session.ts";
import { fault, wallOf, Walls } from "./walls.ts";

async function until(what: () => boolean, name: string): Promise<void> {
  for (let ms = 0; !what(); ms += 5) {
    assert.ok(ms < 10_000, `never: ${name}`);
    await new Promise((go) => setTimeout(go, 5));
  }
}

async function withPool(
  limits: Partial<ParsedPoolLimits>,
  body: (pool: SessionPool, walls: Walls) => Promise<void>,
  walls: Walls = new Walls(false),
): Promise<void> {
  const parsed = parsePoolOptions(limits);
  const pool = new SessionPool(walls.open, parsed.limits);
  await pool.fill(undefined);
  try {
    await body(pool, walls);
  } finally {
    await pool.close();
    assert.equal(walls.live, 0, "a wall is left");
  }
}

const never = undefined;

test("who waits longest is served first", () =>
  withPool({ max: 1 }, async (pool) => {
    const first = await pool.acquire(never);
    const order: number[] = [];
    const rest = [1, 2, 3, 4].map(async (n) => {
      const session = await pool.acquire(never);
      order.push(n);
      await session.close();
    });
    assert.equal(pool.stats().waiting, 4);
    await first.close();
    await Promise.all(rest);
    assert.deepEqual(order, [1, 2, 3, 4]);
  }));

test("an aborted caller is forgotten, and those behind move up", () =>
  withPool({ max: 1 }, async (pool) => {
    const first = await pool.acquire(never);
    const control = new AbortController();
    const gone = pool.acquire(control.signal);
    const next = pool.acquire(never);
    control.abort(new Error("changed my mind"));
    await assert.rejects(gone, (error: SandboxError) => {
      assert.equal(error.code, "ABORTED");
      assert.match(String(error.cause), /changed my mind/);
      return true;
    });
    assert.equal(pool.stats().waiting, 1);
    await first.close();
    await (await next).close();
    await assert.rejects(pool.acquire(control.signal), { code: "ABORTED" });
  }));

test("waiting ends with TIMED_OUT", () =>
  withPool({ max: 1, acquireTimeoutMs: 20 }, async (pool) => {
    const first = await pool.acquire(never);
    await assert.rejects(pool.acquire(never), {
      code: "TIMED_OUT",
      message: /within 20 ms/,
    });
    assert.equal(pool.stats().waiting, 0);
    await first.close();
    await until(() => pool.stats().ready === 1, "the pool is whole again");
  }));

test('onExhausted "fail" refuses at once, and serves again when there is room', () =>
  withPool({ max: 2, onExhausted: "fail" }, async (pool) => {
    const both = await Promise.all([pool.acquire(never), pool.acquire(never)]);
    await assert.rejects(pool.acquire(never), {
      code: "BACKEND_UNAVAILABLE",
      message: /all 2 of the pool are in use/,
    });
    await both[0].close();
    await (await pool.acquire(never)).close();
    await both[1].close();
  }));

test('onExhausted "temporary" opens one beyond max and closes it after its user', () =>
  withPool({ max: 1, onExhausted: "temporary" }, async (pool, walls) => {
    const first = await pool.acquire(never);
    const second = await pool.acquire(never);
    assert.equal(pool.stats().busy, 2);
    await second.close();
    await until(() => wallOf(second).closed, "the temporary one is closed");
    assert.equal(wallOf(first).closed, false);
    walls.faults.push(fault());
    await assert.rejects(pool.acquire(never), { code: "BACKEND_UNAVAILABLE" });
    await first.close();
  }));

test("as many as min are ready again after each user, and each user has a wall that nobody had", () =>
  withPool({ min: 2, max: 4 }, async (pool, walls) => {
    const seen = new Set<number>();
    for (let user = 0; user < 10; user++) {
      const session = await pool.acquire(never);
      seen.add(wallOf(session).id);
      await until(() => pool.stats().ready === 2, "two are ready");
      await session.close();
    }
    assert.equal(seen.size, 10);
    assert.ok(walls.mostAtOnce <= 4);
  }));

test("a wall that can be made as new serves maxUses users", () =>
  withPool({ max: 1, maxUses: 3 }, async (pool, walls) => {
    for (let user = 0; user < 7; user++) {
      await (await pool.acquire(never)).close();
    }
    await until(() => pool.stats().ready === 1, "ready");
    assert.deepEqual(walls.all.map(({ uses }) => uses), [3, 3, 1]);
    assert.equal(pool.stats().reused, 5);
  }, new Walls(true)));

test("a wall that cannot be made as new after all is closed", () =>
  withPool({ max: 1, maxUses: 3 }, async (pool, walls) => {
    const session = await pool.acquire(never);
    wallOf(session).dead = true;
    await session.close();
    await (await pool.acquire(never)).close();
    assert.equal(walls.all[0]!.closed, true);
    assert.equal(pool.stats().failures, 1);
  }, new Walls(true)));

test("each opening that fails is told to one who waits", () =>
  withPool({ min: 0, max: 2 }, async (pool, walls) => {
    walls.faults.push(fault());
    const both = await Promise.allSettled([
      pool.acquire(never),
      pool.acquire(never),
    ]);
    for (const one of both) {
      if (one.status === "fulfilled") await one.value.close();
      else assert.equal(one.reason.code, "BACKEND_UNAVAILABLE");
    }
    assert.equal(both.filter((one) => one.status === "rejected").length, 1);
    assert.equal(pool.stats().failures, 1);
  }));

test("refilling is tried again later, and an acquire does not wait for that", () =>
  withPool({ min: 1, max: 2 }, async (pool, walls) => {
    walls.faults.push(fault());
    const session = await pool.acquire(never);
    await until(() => pool.stats().failures === 1, "the refill failed");
    assert.equal(pool.stats().opening, 0);
    await (await pool.acquire(never)).close();
    await until(() => pool.stats().ready === 1, "refilled");
    await session.close();
  }));

test("the first opening's error is that of the pool, and nothing is left", async () => {
  for (const good of [0, 1, 2]) {
    const walls = new Walls(false);
    const { limits } = parsePoolOptions({ min: 3 });
    let openings = 0;
    const pool = new SessionPool(async (signal) => {
      if (openings++ >= good) throw fault();
      return await walls.open(signal);
    }, limits);
    await assert.rejects(pool.fill(undefined), { code: "BACKEND_UNAVAILABLE" });
    assert.equal(walls.live, 0);
  }
});

test("creating a pool can be aborted", async () => {
  const control = new AbortController();
  const walls = new Walls(
    false,
    () => new Promise((go) => setTimeout(go, 5)),
  );
  const { limits } = parsePoolOptions({ min: 3 });
  const pool = new SessionPool(walls.open, limits);
  const filled = pool.fill(control.signal);
  setTimeout(() => control.abort(), 7);
  await assert.rejects(filled, { code: "ABORTED" });
  assert.equal(walls.live, 0);
});

test("a ready wall that no longer answers is replaced, whether somebody asks or not", () =>
  withPool({ min: 1, max: 1, healthCheckMs: 100 }, async (pool, walls) => {
    walls.all[0]!.dead = true;
    await until(() => walls.all[0]!.closed, "found by the health check");
    await until(() => pool.stats().ready === 1, "replaced");
    assert.equal(pool.stats().failures, 1);
  }));

test("a wall is asked before it is handed out when it was not for a while", () =>
  withPool({ min: 2, max: 2 }, async (pool, walls) => {
    await new Promise((go) => setTimeout(go, 600));
    for (const wall of walls.all) wall.dead = true;
    const [one, two] = await Promise.all([
      pool.acquire(never),
      pool.acquire(never),
    ]);
    assert.deepEqual([wallOf(one).id, wallOf(two).id], [2, 3]);
    await Promise.all([one.close(), two.close()]);
  }));

test("ready ones beyond min are closed when nobody takes them, the others stay", () =>
  withPool(
    { min: 1, max: 3, maxUses: 2, idleTimeoutMs: 100 },
    async (pool, walls) => {
      const all = await Promise.all([1, 2, 3].map(() => pool.acquire(never)));
      await Promise.all(all.map((session) => session.close()));
      await until(() => pool.stats().ready === 3, "all are ready");
      await until(() => pool.stats().ready === 1, "two are closed");
      await new Promise((go) => setTimeout(go, 250));
      assert.equal(pool.stats().ready, 1);
      assert.equal(walls.live, 1);
    },
    new Walls(true),
  ));

test("old ready ones are replaced", () =>
  withPool({ min: 1, max: 2, maxLifetimeMs: 100 }, async (pool, walls) => {
    await until(() => walls.all.length >= 3, "replaced twice");
    assert.equal(walls.all[0]!.closed, true);
    await (await pool.acquire(never)).close();
  }));

test("closing ends who waits and what is in use", async () => {
  const walls = new Walls(
    false,
    () => new Promise((go) => setTimeout(go, 5)),
  );
  let held: Session | undefined;
  await withPool({ min: 1, max: 2 }, async (pool) => {
    held = await pool.acquire(never);
    const opening = pool.acquire(never);
    const waiting = pool.acquire(never);
    const closed = pool.close();
    await assert.rejects(opening, { code: "SESSION_CLOSED" });
    await assert.rejects(waiting, { code: "SESSION_CLOSED" });
    await closed;
    assert.equal(wallOf(held).closed, true);
    await assert.rejects(pool.acquire(never), { code: "SESSION_CLOSED" });
  }, walls);
  await held!.close();
});

test("figures of waiting", () =>
  withPool({ min: 1, max: 1 }, async (pool) => {
    assert.deepEqual(pool.stats().waitMs, { p50: 0, p99: 0, max: 0 });
    const first = await pool.acquire(never);
    const second = pool.acquire(never);
    await new Promise((go) => setTimeout(go, 30));
    await first.close();
    await (await second).close();
    const { acquired, waitMs } = pool.stats();
    assert.equal(acquired, 2);
    assert.ok(waitMs.max >= 25, `${waitMs.max} ms`);
  }));
