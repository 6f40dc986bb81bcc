import { SandboxError } from "../errors.ts";
import type { AddCommand } from "./command.ts";
import { Exit } from "./exit.ts";
import { explained } from "./explained.ts";
import { printable } from "./terminal.ts";
import { usage } from "./values.ts";

/** `mote explain` */
export const addExplain: AddCommand = (parent, choose) => {
  parent.command("explain")
    .summary("what a receipt says, in words")
    .description(
      "Reads a receipt, or a result that holds one, as JSON and says what ran where, under which limits and rights, what it asked of the outside and what was refused.",
    )
    .argument("[file]", "the JSON; standard input without it, or with -")
    .action((file: string | undefined) =>
      choose(async (surface) => {
        const receipt = _receipt(await _read(file));
        // Text in a receipt can come from guests.
        for (const line of explained(receipt)) {
          surface.out.write(`${printable(line)}\n`);
        }
        return Exit.ok;
      })
    );
};

const _mostBytes = 67_108_864;

async function _read(file: string | undefined): Promise<string> {
  const { createReadStream } = await import("node:fs");
  const { default: process } = await import("node:process");
  const source = file === undefined || file === "-"
    ? process.stdin
    : createReadStream(file);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of source as AsyncIterable<Uint8Array>) {
      chunks.push(chunk);
      bytes += chunk.byteLength;
      if (bytes > _mostBytes) {
        throw usage(file ?? "-", "it has more than 64 MiB", "Give a receipt");
      }
    }
  } catch (cause) {
    if (cause instanceof SandboxError) throw cause;
    throw new SandboxError(
      "FILE_NOT_FOUND",
      `Cannot read a receipt: ${
        (cause as Error).message
      }. Give a file that is there.`,
      { cause },
    );
  }
  const { Buffer } = await import("node:buffer");
  return Buffer.concat(chunks).toString("utf8");
}

function _receipt(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw usage(
      "the input",
      "it is not JSON",
      "Give a receipt, as JSON.stringify(result.receipt) writes it",
    );
  }
  const { receipt } = (value ?? {}) as { receipt?: unknown };
  const found = (receipt ?? value) as Record<string, unknown> | null;
  if (typeof found?.backend === "string" && typeof found.limits === "object") {
    return found;
  }
  throw usage(
    "the input",
    "it is neither a receipt nor a result with one",
    "Give a receipt, as JSON.stringify(result.receipt) writes it",
  );
}
