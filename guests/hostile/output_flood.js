// {"ends": "OUTPUT_EXCEEDED", "container": {"ends": ["OUTPUT_EXCEEDED", "MEMORY_EXCEEDED"]}}
for (;;) console.log("x".repeat(10_000));
