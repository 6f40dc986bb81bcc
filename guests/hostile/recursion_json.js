// {"ends": ["exit", "GUEST_CRASHED"], "container": {"ends": ["ok", "exit", "GUEST_CRASHED", "MEMORY_EXCEEDED"]}}
JSON.parse("[".repeat(5e6));
