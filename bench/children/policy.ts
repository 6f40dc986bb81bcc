/** Prints how long the first check of a process takes, in ms, the loading of the policy and its parser included. */
const started = performance.now();
const { compilePolicy } = await import("../../src/policy/policy.ts");
const policy = await compilePolicy("dataScience", Deno.args[0]!);
const { safe } = await policy.check("x = 1");
if (!safe) throw new Error("x = 1 is not safe");
console.log(performance.now() - started);
