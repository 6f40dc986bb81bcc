// {"ends": "DISK_EXCEEDED"}
import fs from "node:fs";
for (;;) fs.appendFileSync("big", new Uint8Array(65536));
