// {"ends": "ok", "stdout": "held\n", "container": {"stdout": null}}
// Nothing that reaches the host or another thread is within sight; fetch asks the host, which refuses without a right.
for (const name of ["Deno", "Bun", "Worker", "WebSocket", "XMLHttpRequest", "WebAssembly"]) {
  if (name in globalThis) console.log("has", name);
}
console.log("held");
