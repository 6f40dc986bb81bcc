class A { static #n = 0; #x = 1; get x() { return this.#x; } static { A.#n = 5; } static get n() { return A.#n; } }
console.log(new A().x, A.n, ((a, { b = 2 } = {}, ...rest) => [a, b, rest])(1, undefined, 3, 4));
console.log(null ?? "nullish", undefined?.x, 2 ** 10, 1_000, 0b11, 0o17, 123456789012345678901234567890n * 2n);
console.log([..."aé🎉"], "abc".at(-1), [1, 2, 3].findLast((x) => x < 3), Object.groupBy([1, 2, 3], (x) => (x % 2 ? "odd" : "even")));
console.log("2024-01-31".replace(/(?<y>\d+)-(?<m>\d+)/, "$<m>/$<y>"), "aXbX".replaceAll("X", "-"), [.../\d/g[Symbol.matchAll]("1a2")].length, /(?<=\$)\d+/.exec("$42")[0], /\p{Lu}/u.test("É"));
console.log([3, 1, 2].toSorted(), [1, 2].with(0, 9), new Set([1, 2]).union(new Set([3])), Array.fromAsync !== undefined, structuredClone([1]));
console.log(await (async () => { for await (const x of (async function* () { yield 1; })()) return x; })());
console.log(new Date(Date.UTC(2024, 1, 29)).toISOString(), new Date("2024-03-01T00:00:00Z").getTimezoneOffset(), JSON.stringify({ a: [1, { b: 2 }], u: undefined }, null, 2));
console.log(Number("0x10"), parseFloat("1.5e3x"), (1234.5678).toFixed(2), (255).toString(16), (0.1 + 0.2).toString(), Math.hypot(3, 4), Math.trunc(-1.5));
label: for (const i of [1, 2]) for (const j of [1, 2]) { if (j === 2) continue label; console.log(i, j); }
console.log(typeof Symbol.iterator, new WeakRef({}).deref() !== undefined, Reflect.ownKeys({ a: 1, [Symbol.for("s")]: 2 }).length, (() => { try { return 1; } finally { console.log("finally"); } })());
console.log([1, 2, 3].reduce((a, b) => a + b), Object.entries({ a: 1 }), Object.fromEntries([["k", "v"]]), "%s", encodeURIComponent("ä b"), escape("ü"));
console.log(new Intl_or_none().value);
function Intl_or_none() { this.value = typeof Intl; }
console.log((1234567.891).toLocaleString(), "b".localeCompare("a"), new Date(0).toLocaleDateString());
console.log(Iterator.from([1, 2, 3]).map((x) => x * 2).toArray(), Promise.withResolvers !== undefined, new Error("e", { cause: 1 }).cause, Error.isError(new Error()));
