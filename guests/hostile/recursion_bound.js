// {"ends": ["exit", "GUEST_CRASHED", "ok", "MEMORY_EXCEEDED"]}
let f = () => {};
for (let n = 0; n < 2e5; n++) f = f.bind(null);
f();
