process.stdout.write("no newline;");
process.stdout.write(new Uint8Array([32, 98, 121, 116, 101, 115, 10]), () => console.log("written"));
process.stderr.write("to stderr\n");
console.log(process.argv.slice(1), process.env.GREETING, process.env.NOPE, process.cwd(), process.platform, process.exitCode);
console.log(process.hrtime().length, typeof process.hrtime.bigint(), process.uptime() >= 0, process.memoryUsage().heapUsed > 0, process.isTTY, process.stdout.isTTY);
console.log(Object.prototype.toString.call(process), globalThis.process === process, (await import("node:process")).default === process);
process.on("exit", (code) => console.log("exit", code));
try {
  setTimeout(() => console.log("never"), 5);
  await null;
  process.exit(7);
} catch (error) {
  console.log("never caught");
} finally {
  console.log("never finally");
}
console.log("never");
