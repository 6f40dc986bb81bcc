/** Makes fresh runs for some seconds, two sessions at a time, and prints how many there were in each and what memory did. */
import { readFileSync } from "node:fs";
import process from "node:process";
import { createSession } from "../../mod.ts";
import { hello, type Lang } from "../peers/peer.ts";

const [lang, seconds] = process.argv.slice(2) as [Lang, string];

function pssKb(): number {
  const text = readFileSync("/proc/self/smaps_rollup", "utf8");
  return Number(/^Pss:\s+(\d+) kB/m.exec(text)![1]);
}

const code = hello[lang];
const sessions = await Promise.all(
  Array.from({ length: 2 }, () => createSession({ backend: "wasm", lang })),
);

/** Runs in one second, over both sessions. */
async function second(): Promise<number> {
  const end = performance.now() + 1_000;
  let runs = 0;
  await Promise.all(sessions.map(async (session) => {
    while (performance.now() < end) {
      const { stdout } = await session.run(code);
      if (stdout !== "hi\n") throw new Error(stdout);
      runs++;
    }
  }));
  return runs;
}

await second();
const startKb = pssKb();
const perSecond: number[] = [];
for (let i = 0; i < Number(seconds); i++) perSecond.push(await second());
const endKb = pssKb();
await Promise.all(sessions.map((session) => session.close()));
console.log(JSON.stringify({ perSecond, startKb, endKb }));
