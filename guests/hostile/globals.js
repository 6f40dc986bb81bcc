// {"ends": "ok", "stdout": "held\n"}
// Nothing that reaches the host or another thread is within sight.
for (const name of ["Deno", "Bun", "Worker", "fetch", "WebSocket", "XMLHttpRequest", "WebAssembly"]) {
  if (name in globalThis) console.log("has", name);
}
console.log("held");
