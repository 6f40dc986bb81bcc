// interactive
import fs, { writeFileSync as write } from "node:fs";
import * as path from "node:path";
import "./side.js";
import json from "./data.json" with { type: "json" };
write("x", "1");
console.log(fs.readFileSync("x", "utf8"), path.basename("/a/b"), json);
//---
console.log(typeof write, typeof path.join, json.n);
//---
import { a, default as b } from "./side.js"; console.log(a, b, "import x from 'y'"); // import z from "z"
//---
export const e = 1;
//---
import nope from "nope";
//---
console.log(import.meta.url);
