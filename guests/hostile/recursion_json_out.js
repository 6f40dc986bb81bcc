// {"ends": ["exit", "GUEST_CRASHED"]}
let nested = [];
for (let n = 0; n < 2e5; n++) nested = [nested];
JSON.stringify(nested);
