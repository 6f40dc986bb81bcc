// {"ends": ["exit", "GUEST_CRASHED"]}
JSON.parse("[".repeat(5e6));
