/** A surface for tests: what is written to it is kept, what is read from it was given. */
import { Readable } from "node:stream";
import type { Surface } from "../../src/cli/terminal.ts";

/** A surface with what was written to it. */
export interface Seen extends Surface {
  text: { out: string; err: string };
  /** Holds writers of bytes back until it resolves. */
  gate: Promise<void>;
}

/** What the surface is to be. */
export interface Looks {
  isTerminal?: boolean;
  /** Standard input; a terminal where nobody types, without. */
  input?: string | Uint8Array;
  signal?: AbortSignal;
}

/** Makes one. */
export function surface(
  { isTerminal = false, input, signal = new AbortController().signal }: Looks =
    {},
): Seen {
  const text = { out: "", err: "" };
  const stream = (name: "out" | "err") => {
    const decoder = new TextDecoder();
    return {
      isTerminal,
      columns: 60,
      write: (more: string) => void (text[name] += more),
      bytes: async (chunk: Uint8Array) => {
        text[name] += decoder.decode(chunk, { stream: true });
        await seen.gate;
      },
    };
  };
  const seen: Seen = {
    text,
    gate: Promise.resolve(),
    in: {
      isTerminal: input === undefined,
      stream: () => Readable.from(input === undefined ? [] : [input]),
    },
    out: stream("out"),
    err: stream("err"),
    signal,
    colours: true,
  };
  return seen;
}
