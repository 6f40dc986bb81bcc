// {"ends": ["TIMED_OUT", "MEMORY_EXCEEDED"]}
for (;;) {
  try {
    const kept = [];
    for (;;) kept.push(new Uint8Array(1 << 18).fill(1));
  } catch {
    continue;
  }
}
