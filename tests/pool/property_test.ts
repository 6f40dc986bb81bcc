/** Whatever users, engines and clocks do: nobody is forgotten, nothing is shared, nothing is left. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SandboxError } from "../../src/errors.ts";
import type { ParsedPoolLimits } from "../../src/pool/options.ts";
import { SessionPool } from "../../src/pool/pool.ts";
import type { Session } from "../../src/session.ts";
import { fault, wallOf, Walls } from "./walls.ts";

const step = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ do: "acquire" as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("acquire and abort" as const),
      after: fc.nat(6),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("release" as const), n: fc.nat() }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "fail" as const }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("kill" as const), n: fc.nat() }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("turn" as const), n: fc.nat(8) }),
  },
);

const kept = fc.record({
  max: fc.integer({ min: 1, max: 4 }),
  min: fc.integer({ min: 0, max: 3 }),
  maxUses: fc.integer({ min: 1, max: 3 }),
  onExhausted: fc.constantFrom("wait", "fail", "temporary" as const),
}) as fc.Arbitrary<
  Pick<ParsedPoolLimits, "max" | "min" | "maxUses" | "onExhausted">
>;

const lasting = {
  idleTimeoutMs: 60_000,
  acquireTimeoutMs: 60_000,
  maxLifetimeMs: 60_000,
  healthCheckMs: 60_000,
};

async function turns(n: number): Promise<void> {
  for (let at = 0; at < n; at++) await new Promise((go) => setImmediate(go));
}

test("no order of events loses a waiter, shares a wall, or leaves one open", async () => {
  await fc.assert(
    fc.asyncProperty(
      kept,
      fc.boolean(),
      fc.array(step, { maxLength: 40 }),
      fc.array(fc.nat(3), { minLength: 1, maxLength: 12 }),
      fc.boolean(),
      async (limits, resets, steps, delays, closeEarly) => {
        if (limits.min > limits.max) limits = { ...limits, min: limits.max };
        let delay = 0;
        const walls = new Walls(
          resets,
          () => turns(delays[delay++ % delays.length]!),
        );
        const pool = new SessionPool(walls.open, { ...limits, ...lasting });
        await pool.fill(undefined);
        assert.equal(pool.stats().ready, limits.min);
        const held: Session[] = [];
        const pending = new Set<Promise<void>>();
        const acquire = (signal?: AbortSignal) => {
          const done = pool.acquire(signal).then((session) => {
            held.push(session);
          }, (error) => {
            if (!(error instanceof SandboxError)) throw error;
            assert.notEqual(error.code, "TIMED_OUT");
            assert.notEqual(error.code, "INTERNAL");
          }).finally(() => pending.delete(done));
          pending.add(done);
        };
        for (const one of steps) {
          if (one.do === "acquire") acquire();
          else if (one.do === "acquire and abort") {
            const control = new AbortController();
            acquire(control.signal);
            turns(one.after).then(() => control.abort());
          } else if (one.do === "release" && held.length) {
            const [session] = held.splice(one.n % held.length, 1);
            await Promise.all([session!.close(), session!.close()]);
          } else if (one.do === "fail") walls.faults.push(fault());
          else if (one.do === "kill" && held.length) {
            wallOf(held[one.n % held.length]!).dead = true;
          } else if (one.do === "turn") await turns(one.n);
          const { ready, busy, waiting } = pool.stats();
          assert.ok(ready === 0 || waiting === 0, "waits beside a ready one");
          if (limits.onExhausted !== "temporary") {
            assert.ok(busy <= limits.max, "more users than max");
            assert.ok(walls.mostAtOnce <= limits.max, "more walls than max");
          }
        }
        if (!closeEarly) {
          for (let round = 0; pending.size; round++) {
            assert.ok(round < 1_000, "somebody waits for ever");
            await Promise.all(held.splice(0).map((one) => one.close()));
            await turns(1);
          }
          const { waiting } = pool.stats();
          assert.equal(waiting, 0);
        }
        await Promise.all([pool.close(), pool.close()]);
        await Promise.all(pending);
        await Promise.all(held.map((session) => session.close()));
        assert.equal(walls.live, 0, "a wall is left");
        const uses = Math.max(0, ...walls.all.map(({ uses }) => uses));
        assert.ok(uses <= (resets ? limits.maxUses : 1), `${uses} uses`);
        const stats = pool.stats();
        assert.equal(stats.opened, walls.all.length);
        assert.equal(stats.closed, walls.all.length);
        assert.deepEqual(
          [stats.ready, stats.busy, stats.opening, stats.cleaning],
          [0, 0, 0, 0],
        );
        await assert.rejects(pool.acquire(undefined), {
          code: "SESSION_CLOSED",
        });
      },
    ),
    { numRuns: 400 },
  );
});
