// {"ends": "OUTPUT_EXCEEDED"}
for (;;) console.error("x".repeat(10_000));
