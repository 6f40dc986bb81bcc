/** Prints the ms from the import of Mote to the first output byte of a Python run. */
const started = performance.now();
const { createSession } = await import("../../mod.ts");
const imported = performance.now();
const session = await createSession({ backend: "wasm", lang: "python" });
const opened = performance.now();
let first = 0;
await session.run("print('hi')", {
  onStdout: () => void (first ||= performance.now()),
});
await session.close();
console.log(JSON.stringify({
  importMs: imported - started,
  openMs: opened - imported,
  totalMs: first - started,
}));
