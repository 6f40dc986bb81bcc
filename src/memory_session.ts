import { memoryBackend } from "./backends/memory.ts";
import { type Language, parseSessionOptions } from "./options.ts";
import type { LanguageData } from "./languages/language.ts";
import type { CommonOptions } from "./options.ts";
import { openSession } from "./opened.ts";
import type { Session } from "./session.ts";

/** The language of the double for tests. */
export const script: LanguageData = {
  name: "script" as Language,
  guest: null,
  code: "source",
  noInstall: "the double for tests has no packages",
};

/**
 * Opens a session over memory: the options, files, limits, tools and errors of a
 * real one, but a guest that only knows a tiny script, one JSON array a line:
 * `["print", text]`, `["read", path]`, `["write", path, text]`,
 * `["tool", name, input]`, `["exit", code]` and the like.
 */
export async function createMemorySession(
  options?: Omit<CommonOptions, "lang">,
): Promise<Session> {
  const parsed = parseSessionOptions(options);
  return await openSession(memoryBackend, "made for tests, in memory", {
    ...parsed,
    lang: script.name,
  }, script);
}
