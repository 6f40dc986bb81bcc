const attempts = {
  bytes: () => { const all = []; for (;;) all.push(new Uint8Array(8 << 20).fill(1)); },
  objects: () => { const list = []; for (;;) list.push({ list: [list.length] }); },
  strings: () => { const list = []; for (;;) list.push("x".repeat(1e6) + list.length); },
  doubling: () => { let s = "x"; for (;;) s += s; },
  oneBuffer: () => new ArrayBuffer(3e9),
  oneArray: () => new Array(2 ** 31).fill(0),
  map: () => { const map = new Map(); for (let i = 0; ; i++) map.set(i, [i]); },
};
for (const [name, attempt] of Object.entries(attempts)) {
  try {
    attempt();
  } catch (error) {
    console.log(name, error instanceof Error);
  }
}
console.log("alive");
