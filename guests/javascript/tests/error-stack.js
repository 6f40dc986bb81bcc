function f() { return new RangeError("msg"); }
const error = f();
console.log(error.stack);
console.log(String(error), Object.keys(error), error instanceof Error);
const target = {};
Error.captureStackTrace(target);
console.log(typeof target.stack, target.stack.split("\n").length > 1);
class Custom extends Error { name = "Custom"; }
console.log(new Custom("c").stack.split("\n")[0]);
console.log(new Error("").stack.split("\n")[0]);
try { JSON.parse("{"); } catch (e) { console.log(e.name, e.stack.includes("main.js:11")); }
try { [1].map(() => { throw new Error("in map"); }); } catch (e) { console.log(e.stack); }
