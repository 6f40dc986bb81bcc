// {"ends": ["MEMORY_EXCEEDED", "TIMED_OUT"]}
for (;;) Promise.resolve().then(() => {});
