// {"ends": "DISK_EXCEEDED"}
import fs from "node:fs";
for (let n = 0; n < 1e6; n++) fs.writeFileSync(String(n), "");
