// {"ends": ["exit", "GUEST_CRASHED"]}
new RegExp("(".repeat(5e5) + ")".repeat(5e5)).test("x");
