// {"ends": ["exit", "GUEST_CRASHED", "ok"]}
let f = () => {};
for (let n = 0; n < 2e5; n++) f = f.bind(null);
f();
