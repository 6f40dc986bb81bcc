// {"ends": "MEMORY_EXCEEDED", "stdinBytes": 100000000}
import fs from "node:fs";
fs.readFileSync(0);
