console.log(await tools.echo({ city: "Oslo", n: [1, { x: null }] }), await tools.echo());
const start = performance.now();
const all = await Promise.all([tools.sleep({ ms: 60, v: 1 }), tools.sleep({ ms: 40, v: 2 }), tools.sleep({ ms: 50, v: 3 })]);
const took = performance.now() - start;
console.log(all.map((x) => x.v), took >= 59 && took < 149);
const order = [];
setTimeout(() => order.push("timer 20"), 20);
await Promise.all([tools.sleep({ ms: 40 }).then(() => order.push("slow")), tools.sleep({ ms: 5 }).then(() => order.push("fast"))]);
console.log(order);
try {
  await tools.fail({});
} catch (error) {
  console.log(error.name, error.message, error instanceof ToolError, error instanceof tools.ToolError, error instanceof Error, error.tool);
  console.log(error.stack.split("\n").slice(0, 2).join(" | "));
}
const settled = await Promise.allSettled([tools.refuse({}), tools.limit({}), tools.unknown({}), tools.garbage({}), tools.echo("text"), tools.echo({}, {}), tools.echo({ n: 1n })]);
for (const { reason } of settled) console.log(reason.name, "|", reason.message);
console.log(settled[0].reason instanceof ToolError, settled[0].reason instanceof tools.ToolInputError);
const { echo } = tools;
console.log(await echo({ destructured: true }), typeof tools.anything, "x" in tools, await tools, `${tools.echo.name}`);
try {
  tools.echo = 1;
} catch (error) {
  console.log(error.name, error.message);
}
const winner = await Promise.race([tools.never({}), new Promise((done) => setTimeout(done, 10, "timer won"))]);
console.log(winner);
process.exit(0);
