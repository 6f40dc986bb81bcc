import { open } from "node:fs/promises";
import { extname } from "node:path";
import { SandboxError } from "../errors.ts";
import type { Language } from "../options.ts";
import type { Input } from "./terminal.ts";
import { usage } from "./values.ts";

const _endings: Readonly<Record<string, Language>> = {
  ".py": "python",
  ".js": "javascript",
  ".mjs": "javascript",
  ".ts": "typescript",
  ".mts": "typescript",
  ".wasm": "wasm",
  ".java": "java",
  ".cpp": "cpp",
  ".cc": "cpp",
  ".cxx": "cpp",
  ".c": "c",
  ".go": "go",
  ".rb": "ruby",
  ".r": "r",
  ".sh": "bash",
  ".bash": "bash",
};

const _mostBytes = 256 * 1_048_576;

/** What is run. */
export interface Source {
  /** The program: its text, or the bytes of a module. */
  readonly code: string | Uint8Array;
  /** Its language. */
  readonly lang: Language;
  /** Whether it came from standard input, which is then used up. */
  readonly fromInput: boolean;
}

/** Finds the program: text of the command line's, a file, or standard input. */
export async function findSource(
  text: string | undefined,
  file: string | undefined,
  lang: Language | undefined,
  input: Input,
  signal: AbortSignal,
): Promise<Source> {
  if (text !== undefined) {
    if (lang === "wasm") {
      const cure = "Give the module's file";
      throw usage("-c", "a wasm module is no text", cure);
    }
    return { code: text, lang: lang ?? "python", fromInput: false };
  }
  if (file === undefined && input.isTerminal) {
    const cure = "Give FILE, -c CODE, or - to type the program";
    throw usage("the command line", "there is nothing to run", cure);
  }
  if (file === undefined || file === "-") {
    const bytes = await readInput(input, signal);
    return { ...decoded(bytes, lang ?? "python"), fromInput: true };
  }
  const known = lang ?? _endings[extname(file).toLowerCase()];
  if (known === undefined) {
    throw usage(
      JSON.stringify(file),
      "its name does not say in which language it is",
      "Name one with --lang",
    );
  }
  return { ...decoded(await readProgram(file), known), fromInput: false };
}

function decoded(
  bytes: Uint8Array,
  lang: Language,
): Pick<Source, "code" | "lang"> {
  if (lang === "wasm") return { code: bytes, lang };
  try {
    const code = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return { code, lang };
  } catch {
    throw usage("the program", "it is not UTF-8", "Save it as UTF-8");
  }
}

/** The bytes of a file, up to 256 MiB. */
export async function readProgram(file: string): Promise<Uint8Array> {
  try {
    const handle = await open(file, "r");
    try {
      const parts = new _Parts(JSON.stringify(file));
      for (;;) {
        const { bytesRead, buffer } = await handle.read(
          new Uint8Array(65_536),
        );
        if (bytesRead === 0) return parts.joined();
        parts.add(buffer.subarray(0, bytesRead));
      }
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof SandboxError) throw error;
    const { code, message } = error as { code?: string; message: string };
    const states: Record<string, string> = {
      ENOENT: "there is no such file",
      EISDIR: "it is a folder",
      EACCES: "this user may not read it",
    };
    throw new SandboxError(
      "FILE_NOT_FOUND",
      `Cannot read ${JSON.stringify(file)}: ${
        states[code ?? ""] ?? message
      }. Give a file that can be read.`,
      { cause: error },
    );
  }
}

/** Everything that comes in, up to 256 MiB. */
export async function readInput(
  input: Input,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const stream = input.stream();
  let stop = () => {};
  // A read of a terminal or pipe cannot be taken back everywhere; it is left behind.
  const stopped = new Promise<never>((_, reject) => {
    stop = () => {
      stream.destroy();
      reject(
        new SandboxError(
          "ABORTED",
          "Cannot read standard input: the command was told to end. Run it again.",
        ),
      );
    };
  });
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  const all = _all(stream);
  all.catch(() => {});
  try {
    return await Promise.race([stopped, all]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

async function _all(stream: AsyncIterable<unknown>): Promise<Uint8Array> {
  const parts = new _Parts("standard input");
  for await (const chunk of stream) {
    parts.add(
      typeof chunk === "string"
        ? new TextEncoder().encode(chunk)
        : chunk as Uint8Array,
    );
  }
  return parts.joined();
}

class _Parts {
  readonly #what: string;
  readonly #all: Uint8Array[] = [];
  #bytes = 0;

  constructor(what: string) {
    this.#what = what;
  }

  add(part: Uint8Array): void {
    this.#all.push(part);
    this.#bytes += part.byteLength;
    if (this.#bytes <= _mostBytes) return;
    throw usage(
      this.#what,
      "it is longer than 256 MiB",
      "Copy it in as a file with --copy",
    );
  }

  joined(): Uint8Array {
    const out = new Uint8Array(this.#bytes);
    let at = 0;
    for (const part of this.#all) {
      out.set(part, at);
      at += part.byteLength;
    }
    return out;
  }
}
