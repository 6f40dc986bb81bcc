// {"ends": ["ok", "exit", "GUEST_CRASHED"]}
let chain = null;
for (let n = 0; n < 3e5; n++) chain = { chain };
chain = null;
