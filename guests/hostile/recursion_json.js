// {"ends": ["exit", "GUEST_CRASHED"], "container": {"ends": ["exit", "ok", "MEMORY_EXCEEDED"], "stdout": null}}
JSON.parse("[".repeat(5e6));
