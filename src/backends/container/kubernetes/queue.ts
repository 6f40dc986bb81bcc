const _waiting: (() => void)[] = [];

/** A pod of this process has ended: the one that has waited longest for room tries again. */
export function released(): void {
  _waiting.shift()?.();
}

/** Waits for room: until a pod of this process ends, and not longer than a time that grows with each attempt. */
export function waitForRoom(
  attempt: number,
  until: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const most = Math.min(10_000, 500 * 1.6 ** attempt);
  const ms = Math.min(
    most * (0.75 + Math.random() / 2),
    until - performance.now(),
  );
  if (ms <= 0 || signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      const at = _waiting.indexOf(done);
      if (at >= 0) _waiting.splice(at, 1);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done);
    _waiting.push(done);
  });
}
