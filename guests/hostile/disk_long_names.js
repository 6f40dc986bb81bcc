// {"ends": "exit"}
import fs from "node:fs";
fs.writeFileSync("n".repeat(1e6), "");
