import { memoryBackend } from "../backends/memory.ts";
import { script } from "../memory_session.ts";
import type { CommonOptions } from "../options.ts";
import { openPool, type Pool } from "./create.ts";
import { parsePoolOptions, type PoolLimits } from "./options.ts";

/** Opens a pool of sessions over memory, as `createMemorySession` opens one. */
export async function createMemoryPool(
  options?: Omit<CommonOptions, "lang"> & PoolLimits,
): Promise<Pool> {
  const { limits, session } = parsePoolOptions(options);
  return await openPool(
    memoryBackend,
    "made for tests, in memory",
    limits,
    { ...session, lang: script.name },
    script,
  );
}
