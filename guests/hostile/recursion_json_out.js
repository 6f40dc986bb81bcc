// {"ends": ["exit", "GUEST_CRASHED", "TIMED_OUT"]}
let nested = [];
for (let n = 0; n < 2e5; n++) nested = [nested];
JSON.stringify(nested);
