// {"ends": ["exit", "GUEST_CRASHED"]}
const odd = { get x() { return this.x; } };
odd.x;
