// {"ends": ["exit", "ok", "GUEST_CRASHED"]}
let nested = {};
for (let n = 0; n < 1e5; n++) nested = { nested };
structuredClone(nested);
