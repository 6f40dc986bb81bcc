import lib, { double, counter, bump } from "./lib/math.js";
import * as ns from "/sandbox/lib/math.js";
import data from "./data.json";
import typed from "./data.json" with { type: "json" };
import { first } from "./cycle-a.js";
console.log(lib, double(21), counter, ns.counter);
bump();
console.log(counter, ns.counter, ns);
console.log(data, data === typed);
console.log(first());
console.log(import.meta.url, import.meta.filename, import.meta.dirname, import.meta.main);
console.log(ns.where);
const dynamic = await import("./lib/math.js");
console.log(dynamic === ns, dynamic.default);
console.log((await import("file:///sandbox/lib/math.js")) === ns);
console.log((await import("./data.json", { with: { type: "json" } })).default.name);
for (const name of ["./missing.js", "lodash", "node:http", "/sandbox/lib", "./broken.js", "./throws.js", "./bad.json", "../../outside.js", "./not-utf8.js"]) {
  try {
    await import(name);
    console.log("imported", name);
  } catch (error) {
    console.log(name, "->", error.name, error.code, error.message.slice(0, 110));
  }
}
console.log(await import("./tla.js").then((m) => m.value));
export const exported = 1;
