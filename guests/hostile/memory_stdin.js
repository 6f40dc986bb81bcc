// {"ends": "MEMORY_EXCEEDED", "stdinBytes": 100000000, "limits": {"timeMs": 10000}}
import fs from "node:fs";
fs.readFileSync(0);
