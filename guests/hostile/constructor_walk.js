// {"ends": "ok", "stdout": "held\n"}
const evaluate = (() => {}).constructor.constructor;
const reached = evaluate("return this")();
if (reached !== globalThis) console.log("another world");
console.log("held");
