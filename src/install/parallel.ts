import type { FileStore } from "../backends/backend.ts";

/** Does as much at a time as the other side can take. */
export async function parallel<T>(
  files: FileStore,
  items: readonly T[],
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const workers = files.parallel ?? 1;
  await Promise.all(Array.from({ length: workers }, async () => {
    while (next < items.length) {
      const index = next++;
      await work(items[index]!, index);
    }
  }));
}
