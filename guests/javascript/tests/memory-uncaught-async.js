const f = async () => { const all = []; for (;;) { all.push("x".repeat(1e5) + all.length); if (all.length % 100 === 0) await null; } };
await f();
