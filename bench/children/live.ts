/** Opens N interactive sessions, lets each print once, and prints what one more costs in PSS. */
import { readFileSync } from "node:fs";
import process from "node:process";
import { createSession, type Session } from "../../mod.ts";

const [lang, count] = process.argv.slice(2) as [
  "python" | "javascript",
  string,
];
const code = { python: "print('hi')", javascript: "console.log('hi')" }[lang];

function pssKb(): number {
  const line = /^Pss:\s+(\d+) kB/m.exec(
    readFileSync("/proc/self/smaps_rollup", "utf8"),
  );
  return Number(line![1]);
}

async function open(): Promise<Session> {
  const session = await createSession({
    backend: "wasm",
    lang,
    interactive: true,
  });
  const result = await session.run(code);
  if (result.stdout !== "hi\n") throw new Error(result.stderr);
  return session;
}

const live: Session[] = [];
for (let i = 0; i < 20; i++) live.push(await open());
const before = pssKb();
for (let i = 0; i < Number(count); i++) live.push(await open());
const after = pssKb();
await Promise.all(live.map((session) => session.close()));
console.log(JSON.stringify({ kbEach: (after - before) / Number(count) }));
