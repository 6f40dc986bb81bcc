import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import process from "node:process";
import { output } from "../process.ts";
import { assertOutput, type Peer } from "./peer.ts";

const version = "0.0.18";

const server = `
import { createInterface } from "node:readline";
import { Monty } from "@pydantic/monty";
for await (const line of createInterface({ input: process.stdin })) {
  let text = "", first = 0;
  const started = performance.now();
  new Monty(JSON.parse(line)).run({ printCallback: (_, more) => {
    first ||= performance.now();
    text += more;
  } });
  console.log(JSON.stringify({ us: (first - started) * 1000, text }));
}
`;

let child: ChildProcess | undefined;
let answers: AsyncIterator<string> | undefined;

/** A Python of its own, of which it has a part; in Node, as its loader does not work in Deno. */
export const monty: Peer = {
  name: "@pydantic/monty",
  lang: "python",
  async missing() {
    const dir = join(
      process.env.MOTE_CACHE_DIR ?? join(homedir(), ".cache", "mote"),
      `bench-monty-${version}`,
    );
    try {
      mkdirSync(dir, { recursive: true });
      writeFileSync(join(dir, "server.mjs"), server);
      await output("npm", [
        "install",
        "--prefix",
        dir,
        "--silent",
        `@pydantic/monty@${version}`,
      ]);
    } catch (error) {
      return (error as Error).message.split("\n")[0];
    }
    child = spawn("node", [join(dir, "server.mjs")], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    answers = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  },
  async fresh(code, expected) {
    child!.stdin!.write(`${JSON.stringify(code)}\n`);
    const { value } = await answers!.next();
    const { us, text } = JSON.parse(value) as { us: number; text: string };
    assertOutput(this.name, text, expected);
    return us;
  },
  close() {
    child?.stdin?.end();
    return Promise.resolve();
  },
};
