// {"ends": "OUTPUT_EXCEEDED"}
for (;;) console.log("x".repeat(10_000));
