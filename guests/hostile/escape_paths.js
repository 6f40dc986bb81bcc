// {"ends": "ok", "stdout": "held\n", "container": {"stdout": null}}
import fs from "node:fs";
for (
  const path of [
    "/etc/passwd",
    "../etc/passwd",
    "../../../../etc/passwd",
    "/sandbox/../etc/passwd",
    "/proc/self/environ",
    "//etc/passwd",
    "file:///etc/passwd",
  ]
) {
  try {
    fs.readFileSync(path);
    console.log("escaped", path);
  } catch {
    continue;
  }
}
for (const target of ["/etc/passwd", "../../etc/passwd"]) {
  try {
    fs.symlinkSync(target, "link");
    fs.readFileSync("link");
    console.log("escaped by a link to", target);
  } catch {
    continue;
  }
}
console.log("held");
