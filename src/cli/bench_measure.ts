import { spawn } from "node:child_process";
import { access, constants, realpath } from "node:fs/promises";
import { delimiter, join } from "node:path";
import process from "node:process";
import type { createSession, tool } from "../../mod.ts";
import type { SessionOptions } from "../options.ts";
import type { Session } from "../session.ts";

/** How long something took, over its rounds. */
export interface Figure {
  /** What was done. */
  readonly what: string;
  /** How often. */
  readonly rounds: number;
  /** Half took at most this long, in ms. */
  readonly p50Ms: number;
  /** 95 of 100 took at most this long, in ms. */
  readonly p95Ms: number;
  /** The shortest, in ms. */
  readonly leastMs: number;
}

/** What cannot be measured here, and why. */
export interface Unmeasured {
  readonly what: string;
  readonly why: string;
}

/** What is needed of the package. */
export interface Parts {
  readonly createSession: typeof createSession;
  readonly tool: typeof tool;
}

const _calls = 100;
const _call = `call of a tool of the host, of ${_calls} in a run`;

const _programs = {
  python: {
    hello: "print('hello')",
    calls:
      `for n in range(${_calls}): assert tools.double(n=n) == 2 * n\nprint('hello')`,
    host: ["python3", "-I", "-c", "print('hello')"],
  },
  javascript: {
    hello: "console.log('hello')",
    calls:
      `for (let n = 0; n < ${_calls}; n++) if (await tools.double({ n }) !== 2 * n) throw n;\nconsole.log('hello')`,
    host: ["node", "-e", "console.log('hello')"],
  },
} as const;

/** A language that can be measured. */
export type BenchLanguage = keyof typeof _programs;

/** Measures a new session, a run, a call of a tool, and a process of the host that prints the same. */
export async function measure(
  { createSession, tool }: Parts,
  options: SessionOptions,
  lang: BenchLanguage,
  rounds: number,
  signal: AbortSignal,
): Promise<{ figures: Figure[]; unmeasured: Unmeasured[] }> {
  const { hello, calls, host } = _programs[lang];
  const double = tool({
    input: _anything<{ n: number }>(),
    output: _anything<number>(),
    run: ({ n }) => n * 2,
  });
  const open = () =>
    createSession({ ...options, lang, tools: { double }, signal }) as Promise<
      Session
    >;
  const figures: Figure[] = [];
  const unmeasured: Unmeasured[] = [];

  // The first compiles the guest where it has not been, and starts the engine: not what is asked.
  const session = await open();
  try {
    await _expect(session, hello, signal);
    figures.push(
      await _times("new session, first run, close", rounds, async () => {
        const fresh = await open();
        try {
          await _expect(fresh, hello, signal);
        } finally {
          await fresh.close();
        }
      }),
      await _times(
        "run in an open session",
        rounds,
        () => _expect(session, hello, signal),
      ),
    );
    if (session.capabilities.tools.includes(lang)) {
      const all = await _times(
        _call,
        rounds,
        () => _expect(session, calls, signal),
      );
      figures.push({
        what: all.what,
        rounds: rounds * _calls,
        p50Ms: all.p50Ms / _calls,
        p95Ms: all.p95Ms / _calls,
        leastMs: all.leastMs / _calls,
      });
    } else {
      const why = `${session.backend} has no tools in ${lang}`;
      unmeasured.push({ what: _call, why });
    }
  } finally {
    await session.close();
  }
  const [program, ...words] = host;
  const path = await _onPath(program);
  const what = `process of the host: ${path ?? program} ${words[0]}`;
  if (path === undefined) {
    unmeasured.push({ what, why: `there is no ${program} on PATH` });
  } else {
    const once = () => _process(path, words, signal);
    figures.push(await _times(what, rounds, once));
  }
  return { figures, unmeasured };
}

async function _expect(
  session: Session,
  code: string,
  signal: AbortSignal,
): Promise<void> {
  const { exitCode, stdout, stderr } = await session.run(code, { signal });
  if (exitCode === 0 && stdout === "hello\n") return;
  throw new Error(`a run that is measured ended with ${exitCode}: ${stderr}`);
}

/** The file that a shell would start. */
async function _onPath(program: string): Promise<string | undefined> {
  // Deno puts a folder first in which it is itself called node.
  const disguised = process.versions.deno && await realpath(process.execPath);
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    if (folder === "") continue;
    const file = join(folder, program);
    const found = await access(file, constants.X_OK).then(
      () => realpath(file),
      () => undefined,
    );
    if (found !== undefined && found !== disguised) return file;
  }
  return undefined;
}

function _process(
  file: string,
  words: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const child = spawn(file, words, { stdio: ["ignore", "pipe", "ignore"] });
    let out = "";
    child.stdout.setEncoding("utf8").on("data", (text) => out += text);
    child.once("error", reject);
    child.once(
      "close",
      (code) =>
        code === 0 && out === "hello\n"
          ? resolve()
          : reject(new Error(`Cannot measure ${file}: it ended with ${code}`)),
    );
  });
}

async function _times(
  what: string,
  rounds: number,
  once: () => Promise<void>,
): Promise<Figure> {
  await once();
  const all: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    await once();
    all.push(performance.now() - start);
  }
  all.sort((a, b) => a - b);
  const at = (part: number) =>
    all[Math.min(all.length - 1, Math.ceil(part * all.length) - 1)]!;
  return { what, rounds, p50Ms: at(0.5), p95Ms: at(0.95), leastMs: all[0]! };
}

/** A schema that lets everything through: what is measured is the call. */
function _anything<T>() {
  return {
    "~standard": {
      version: 1 as const,
      vendor: "mote",
      validate: (value: unknown) => ({ value: value as T }),
    },
  };
}
