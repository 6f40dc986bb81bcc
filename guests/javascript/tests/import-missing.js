import x from "./no.js";
console.log("not run");
