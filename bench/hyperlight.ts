/**
 * `deno run -A bench/hyperlight.ts [--rounds N] [--live N] [--emulated]`: what micro-VMs cost on this machine, next to what the
 * project promises of them. Needs a hypervisor; `--emulated` lets a slow one do, whose times are then no figures, but whose
 * exits and bytes are.
 *
 * Exits are read from /sys/kernel/debug/kvm, where root finds it mounted: they are those of all VMs of the machine.
 */
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { createSession, probe, type Session } from "../mod.ts";
import { interleave, summarize } from "./measure.ts";

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: {
    rounds: { type: "string", default: "20" },
    live: { type: "string", default: "10" },
    emulated: { type: "boolean", default: false },
  },
});
const rounds = Number(values.rounds);
const liveCount = Number(values.live);

const { available, reason } = (await probe()).hyperlight;
console.log(`hyperlight: ${reason}`);
if (!available && !values.emulated) process.exit(1);

interface Subject {
  name: string;
  lang: "python" | "javascript";
  guest: "micro" | "linux";
  memoryMb: number;
  code: string;
  /** Most resident memory of one more live VM, in KiB, and most VM exits of a run, all and of them I/O, as promised. */
  promised: { liveKb: number; exits?: number; io?: number };
}

const print = { python: "print('hi')", javascript: "console.log('hi')" };
const subjects: Subject[] = [
  {
    name: "python, micro",
    lang: "python",
    guest: "micro",
    memoryMb: 64,
    code: print.python,
    promised: { liveKb: 1024, exits: 100, io: 1 },
  },
  {
    name: "javascript, micro",
    lang: "javascript",
    guest: "micro",
    memoryMb: 16,
    code: print.javascript,
    promised: { liveKb: 410, exits: 50, io: 1 },
  },
  {
    name: "python, linux",
    lang: "python",
    guest: "linux",
    memoryMb: 64,
    code: print.python,
    promised: { liveKb: 18 * 1024 },
  },
];

function open(subject: Subject): Promise<Session> {
  return createSession({
    backend: "hyperlight",
    lang: subject.lang,
    guest: subject.guest,
    limits: { memoryMb: subject.memoryMb, workspaceMb: 16 },
    acceptEmulatedHypervisor: values.emulated,
  });
}

async function runs(session: Session, subject: Subject): Promise<void> {
  const { stdout, stderr } = await session.run(subject.code);
  if (stdout !== "hi\n") throw new Error(`${subject.name}: ${stdout}${stderr}`);
}

/** KVM's counters, summed over all VMs; undefined where they cannot be read. */
function counters(): Map<string, number> | undefined {
  const dir = "/sys/kernel/debug/kvm";
  try {
    return new Map(
      readdirSync(dir, { withFileTypes: true }).filter((entry) =>
        entry.isFile()
      )
        .map((
          { name },
        ) => [name, Number(readFileSync(`${dir}/${name}`, "utf8").trim())]),
    );
  } catch {
    return undefined;
  }
}

function rssKb(): number {
  const text = readFileSync("/proc/self/smaps_rollup", "utf8");
  return Number(/^Rss:\s+(\d+) kB/m.exec(text)![1]);
}

const ms = (us: number) => `${(us / 1000).toFixed(2)} ms`;

function verdict(value: number, most: number): string {
  return `${value <= most ? "met" : "MISSED"} ≤ ${most}`;
}

const opened: { subject: Subject; session: Session }[] = [];
for (const subject of subjects) {
  const begun = performance.now();
  try {
    const session = await open(subject);
    const first = performance.now();
    await runs(session, subject);
    console.log(
      `${subject.name}: first session ${
        ms((first - begun) * 1000)
      } (loaded and warmed, or read from the cache), first run ${
        ms((performance.now() - first) * 1000)
      }`,
    );
    opened.push({ subject, session });
  } catch (error) {
    console.log(`missing: ${subject.name}: ${(error as Error).message}`);
  }
}

console.log(
  `\nrestore + run, in turn, ${rounds} rounds; goal of the page: a start below 1 ms`,
);
const series = await interleave(
  opened.map(({ subject, session }) => ({
    name: subject.name,
    perRound: 3,
    sample: async () => {
      const begun = performance.now();
      await runs(session, subject);
      return (performance.now() - begun) * 1000;
    },
  })),
  rounds,
);
const middle = new Map<string, number>();
for (const { subject } of opened) {
  const { min, p50, p99, n } = summarize(series.get(subject.name)!);
  middle.set(subject.name, p50);
  console.log(
    `${subject.name.padEnd(20)} min ${ms(min)}  p50 ${ms(p50)}  p99 ${
      ms(p99)
    }  n ${n}`,
  );
}
const linux = middle.get("python, linux");
for (
  const [name, most] of [["python, micro", 0.6], [
    "javascript, micro",
    0.2,
  ]] as const
) {
  const own = middle.get(name);
  if (own !== undefined && linux !== undefined) {
    const ratio = own / linux;
    console.log(
      `${name}: ${ratio.toFixed(2)} × the linux guest's restore + print  ${
        verdict(Number(ratio.toFixed(2)), most)
      }`,
    );
  }
}

console.log("\nVM exits of one restore + run");
for (const { subject, session } of opened) {
  const before = counters();
  if (!before) {
    console.log(
      "missing: /sys/kernel/debug/kvm cannot be read: run as root, with debugfs mounted",
    );
    break;
  }
  const count = 20;
  for (let i = 0; i < count; i++) await runs(session, subject);
  const after = counters()!;
  const each = (name: string) =>
    ((after.get(name) ?? 0) - (before.get(name) ?? 0)) / count;
  const { exits, io } = subject.promised;
  console.log(
    `${subject.name.padEnd(20)} exits ${
      each("exits").toFixed(1)
    }  of them I/O ${each("io_exits").toFixed(1)}, page faults ${
      (each("pf_taken") || each("pf_fixed")).toFixed(1)
    }, halts ${each("halt_exits").toFixed(1)}  ${
      exits === undefined ? "" : verdict(each("exits"), exits)
    }${io === undefined ? "" : `, I/O ${verdict(each("io_exits"), io)}`}`,
  );
}

console.log(`\none more live VM, of ${liveCount}, each after one run`);
for (const { subject } of opened) {
  const live: Session[] = [];
  for (let i = 0; i < 2; i++) live.push(await open(subject));
  for (const session of live) await runs(session, subject);
  const before = rssKb();
  const begun = performance.now();
  for (let i = 0; i < liveCount; i++) live.push(await open(subject));
  const each = (performance.now() - begun) / liveCount;
  for (const session of live.slice(2)) await runs(session, subject);
  const kb = (rssKb() - before) / liveCount;
  await Promise.all(live.map((session) => session.close()));
  console.log(
    `${subject.name.padEnd(20)} ${
      kb.toFixed(0)
    } KiB resident (limits.memoryMb ${subject.memoryMb})  open ${
      ms(each * 1000)
    }  ${verdict(Math.round(kb), subject.promised.liveKb)} KiB`,
  );
}
for (const { session } of opened) await session.close();
