// {"ends": "ok", "stdout": "held\n", "container": {"stdout": null}}
for (
  const name of [
    "node:child_process",
    "node:net",
    "node:worker_threads",
    "node:ffi",
    "node:vm",
    "std",
    "qjs:std",
    "qjs:os",
    "/etc/passwd",
    "../../../etc/passwd",
    "https://localhost/x.js",
    "data:text/javascript,1",
  ]
) {
  try {
    await import(name);
    console.log("imported", name);
  } catch {
    continue;
  }
}
console.log("held");
