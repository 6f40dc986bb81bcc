import type { LanguageData } from "./language.ts";

/** CPython 3.11. */
export const python: LanguageData = {
  name: "python",
  guest: "python",
  code: "source",
};
