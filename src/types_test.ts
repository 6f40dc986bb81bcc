import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import {
  createPool,
  createSession,
  type Pool,
  type Session,
  tool,
} from "../mod.ts";

/** Never called: only the compiler reads it. */
export async function compiled(): Promise<void> {
  // @ts-expect-error an option of containers
  await createSession({ backend: "wasm", image: "debian" });
  // @ts-expect-error an option of hyperlight
  await createSession({ guestBinaryPath: "/x" });
  // @ts-expect-error there is no such option
  await createSession({ timeout: 5 });
  // @ts-expect-error there is no such backend
  await createSession({ backend: "xen" });
  await createSession({ backend: "docker", image: "debian" });
  await createSession({ backend: "kubernetes", kubeNamespace: "x" });

  const wasm = await createSession({ backend: "wasm" });
  const never: false = wasm.capabilities.network;
  // @ts-expect-error other backends may have one
  const maybe: false = (await createSession()).capabilities.network;
  const any: Session = wasm;

  // @ts-expect-error an option of containers
  await createPool({ backend: "wasm", image: "debian" });
  // @ts-expect-error there is no such option
  await createPool({ size: 5 });
  const pool = await createPool({ backend: "wasm", min: 2 });
  const known: false = (await pool.acquire()).capabilities.network;
  const every: Pool = pool;

  tool({
    input: z.object({ city: z.string() }),
    output: z.object({ celsius: z.number() }),
    run: ({ city }, { signal }) => ({
      celsius: signal.aborted ? 0 : city.length,
    }),
  });
  tool({
    input: z.object({ city: z.string() }),
    output: z.object({ celsius: z.number() }),
    // @ts-expect-error the answer is not what the schema says
    run: ({ city }) => ({ celsius: city }),
  });
  tool({
    input: z.object({ city: z.string() }),
    output: z.any(),
    // @ts-expect-error the input has no such key
    run: ({ town }) => town,
  });
  return void [never, maybe, any, known, every];
}

test("the compiler refuses what a backend cannot do", () => {
  assert.equal(typeof compiled, "function");
});
