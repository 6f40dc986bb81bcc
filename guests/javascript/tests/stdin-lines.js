import readline from "node:readline";
let n = 0;
for await (const line of readline.createInterface({ input: process.stdin })) console.log(++n, line);
