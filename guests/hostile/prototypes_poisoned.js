// {"ends": "ok", "container": {"ends": ["ok", "exit"]}}
// What one run does to its realm, no other run sees.
Object.prototype.toJSON = () => "poison";
Array.prototype[Symbol.iterator] = null;
JSON.stringify = JSON.parse = console.error = () => {
  throw new Error("poison");
};
Promise.prototype.then = () => {};
String.prototype.toString = Function.prototype.call = null;
delete globalThis.console;
