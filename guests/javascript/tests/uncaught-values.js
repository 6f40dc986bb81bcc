// interactive
throw { code: 7, nested: [1] };
//---
throw "text";
//---
throw undefined;
//---
throw Object.assign(new Error("with cause", { cause: new RangeError("the cause") }), { code: "E_CODE" });
//---
throw new AggregateError([new Error("one"), new Error("two")], "several");
//---
class MyError extends Error { constructor(m) { super(m); this.name = "MyError"; } }
throw new MyError("mine");
//---
null.x;
//---
nope;
//---
const e = new Error("x"); e.stack = "custom stack"; throw e;
//---
const odd = new Error("m"); Object.defineProperty(odd, "message", { get() { throw 1; } }); throw odd;
//---
throw new Proxy({}, { get() { throw new Error("trap"); } });
