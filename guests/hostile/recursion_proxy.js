// {"ends": ["exit", "GUEST_CRASHED"]}
let wrapped = {};
for (let n = 0; n < 2e5; n++) wrapped = new Proxy(wrapped, {});
wrapped.x;
