// {"ends": ["exit", "GUEST_CRASHED", "MEMORY_EXCEEDED"]}
eval("(".repeat(5e5) + "1" + ")".repeat(5e5));
