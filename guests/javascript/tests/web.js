const url = new URL("../b/./c?x=1&y=2#frag", "https://user:pass@example.com:8080/a/d/");
console.log(url.href, url.host, url.pathname, url.search, url.hash, url.origin, url.username);
url.searchParams.append("z", "a b&c");
url.pathname = "/ü";
console.log(String(url), JSON.stringify({ url }));
console.log([...new URLSearchParams("a=1&a=2&b=%20x")], new URLSearchParams({ q: "ä ö" }).toString());
console.log(URL.canParse("nope"), URL.canParse("/x", "http://h"), new URL("http://münchen.de/").host);
try {
  new URL("nope");
} catch (error) {
  console.log(error.name, error.message !== "");
}
const source = { date: new Date(0), map: new Map([[1, new Set([2])]]), re: /x/gi, bytes: new Uint8Array([1, 2]), nested: [{ u: undefined }], big: 1n, err: new RangeError("r") };
source.self = source;
const copy = structuredClone(source);
console.log(copy !== source, copy.self === copy, copy.map.get(1).has(2), copy.re.flags, copy.bytes, copy.date.getTime(), copy.err instanceof RangeError);
for (const bad of [() => {}, Symbol("s"), { f() {} }]) {
  try {
    structuredClone(bad);
  } catch (error) {
    console.log(error.name, error instanceof DOMException, error.code);
  }
}
console.log(new DOMException("m", "AbortError").code, new DOMException("m") instanceof Error, `${new DOMException("m", "NotFoundError")}`);
console.log(btoa("hello"), atob("aGVsbG8="), btoa("\xff"));
for (const bad of [() => btoa("€"), () => atob("*")]) {
  try {
    bad();
  } catch (error) {
    console.log(error.name);
  }
}
const controller = new AbortController();
controller.signal.addEventListener("abort", (event) => console.log("event", event.type, event.target === controller.signal));
controller.signal.onabort = () => console.log("onabort");
const either = AbortSignal.any([controller.signal, AbortSignal.timeout(60_000)]);
controller.abort();
controller.abort("again");
console.log(controller.signal.aborted, controller.signal.reason.name, either.aborted, either.reason === controller.signal.reason);
console.log(AbortSignal.abort("why").reason);
try {
  controller.signal.throwIfAborted();
} catch (error) {
  console.log(error.name, error.message);
}
const timeout = AbortSignal.timeout(1);
setTimeout(() => console.log(timeout.aborted, timeout.reason?.name), 20);
const target = new EventTarget();
target.addEventListener("x", (event) => {
  console.log(event.type, event.detail, event.cancelable);
  event.preventDefault();
}, { once: true });
console.log(target.dispatchEvent(new CustomEvent("x", { detail: 7, cancelable: true })), target.dispatchEvent(new Event("x")));
const random = crypto.getRandomValues(new Uint32Array(4));
console.log(random.length, random.some((n) => n > 0), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID()), crypto.randomUUID() !== crypto.randomUUID());
for (const bad of [new Float32Array(1), new Uint8Array(65_537)]) {
  try {
    crypto.getRandomValues(bad);
  } catch (error) {
    console.log(error.name);
  }
}
console.log(performance.now() >= 0, performance.now() < 60_000, Math.abs(performance.timeOrigin + performance.now() - Date.now()) < 1000);
console.log(globalThis === global, typeof fetch, typeof WebAssembly, typeof Atomics);
