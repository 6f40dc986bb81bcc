// {"ends": "MEMORY_EXCEEDED", "stdinBytes": 100000000, "container": {"ends": ["exit", "MEMORY_EXCEEDED", "ok"]}}
import fs from "node:fs";
fs.readFileSync(0);
