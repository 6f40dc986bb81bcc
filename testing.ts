/**
 * A sandbox for tests that neither needs the native library nor runs real code.
 *
 * @example
 * ```ts
 * import { createMemorySession } from "@mote/sandbox/testing";
 *
 * const session = await createMemorySession();
 * const { stdout } = await session.run('["print", "hello"]');
 * console.log(stdout); // hello
 * await session.close();
 * ```
 *
 * @module
 */
export { createMemorySession } from "./src/memory_session.ts";
export { createMemoryPool } from "./src/pool/memory_pool.ts";
