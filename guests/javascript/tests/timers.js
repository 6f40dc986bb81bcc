const log = (text) => console.log(text);
log("sync");
setTimeout(() => log("timeout 0"));
setTimeout((a, b) => log(`timeout 20 ${a} ${b}`), 20, "x", "y");
setTimeout(() => log("timeout 10"), 10);
setImmediate((v) => log(`immediate ${v}`), 1);
queueMicrotask(() => log("microtask"));
Promise.resolve().then(() => log("promise"));
process.nextTick((v) => log(`tick ${v}`), 2);
clearTimeout(setTimeout(() => log("never"), 1));
clearImmediate(setImmediate(() => log("never")));
const kept = setTimeout(() => log("never"), 5);
clearTimeout(+kept);
clearTimeout(undefined);
clearTimeout("nonsense");
setTimeout(() => log("never: unref'd"), 60_000).unref();
await new Promise((done) => {
  let n = 0;
  const id = setInterval(() => {
    log(`interval ${++n}`);
    if (n === 3) {
      clearInterval(id);
      done();
    }
  }, 15);
});
const order = [];
for (const ms of [9, 3, 6, 1]) setTimeout(() => order.push(ms), ms);
const start = performance.now();
await new Promise((done) => setTimeout(done, 30));
const waited = performance.now() - start;
log(waited >= 29 && waited < 500);
log(order.join());
const timer = setTimeout(() => log("refreshed"), 5);
log(`${timer.hasRef()} ${timer.unref().hasRef()} ${timer.ref().hasRef()} ${timer.refresh() === timer}`);
try {
  setTimeout("code");
} catch (error) {
  log(`${error.name} ${error.code}`);
}
import { setTimeout as sleep, setImmediate as immediate, scheduler } from "node:timers/promises";
log(await sleep(5, "slept"));
log(await immediate("now"));
await scheduler.wait(1);
const controller = new AbortController();
setTimeout(() => controller.abort(), 5);
await sleep(60_000, 0, { signal: controller.signal }).catch((error) => log(error.name));
log("end of main");
setTimeout(() => log("after main"), 5);
