// interactive
const x = 1;
let y = [x];
function add(a, b) { return a + b; }
class Box { value = 5; }
var z = 3;
console.log("first", x);
//---
y.push(2);
console.log(x, y, add(1, 2), new Box().value, z, typeof globalThis.z);
//---
const x = "again";
let add = "replaced";
class Box {}
console.log(x, add, new Box());
//---
const later = await new Promise((done) => setTimeout(done, 1, "awaited"));
console.log(later);
//---
console.log(later);
throw new Error("does not end the session");
//---
console.log("alive", x);
const half = 1; throw new Error("half");
//---
console.log(half);
syntax error here
//---
process.exit(4);
//---
console.log("after exit", later, process.exitCode);
//---
setInterval(() => {}, 1000).unref(); setTimeout(() => { throw 1 }, 1); setTimeout(() => console.log("dropped"), 2);
//---
await new Promise((done) => setTimeout(done, 10)); console.log("no old timers");
//---
const data = (await import("fs")).readdirSync(".");
console.log(data);
//---
undeclared = 5;
console.log(undeclared, this === globalThis);
//---
console.log([1, 2, 3].map((n) => n * n), await Promise.all([1, 2]));
