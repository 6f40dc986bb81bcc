import { SandboxError } from "./errors.ts";
import type { LanguageData } from "./languages/language.ts";

/** What `run` takes as code. */
export type Code = string | Uint8Array | URL;

/** The program as the guest gets it; a promise only where a file has to be read. */
export function programOf(
  code: Code,
  language: LanguageData,
): string | Uint8Array | Promise<Uint8Array> {
  if (code instanceof Uint8Array) return code;
  if (code instanceof URL) return _read(code);
  if (typeof code === "string") {
    return language.code === "source" ? code : _read(code);
  }
  throw new SandboxError(
    "INVALID_OPTION",
    `Cannot run code: ${language.name} code is given as ${
      language.code === "source" ? "text" : "a path"
    }, bytes or a file URL. Give it in that form.`,
  );
}

async function _read(file: string | URL): Promise<Uint8Array> {
  const { readFile } = await import("node:fs/promises");
  try {
    return await readFile(file);
  } catch (cause) {
    throw new SandboxError(
      "FILE_NOT_FOUND",
      `Cannot run a file: ${
        (cause as Error).message
      }. Give the path of one that is there.`,
      { cause },
    );
  }
}
