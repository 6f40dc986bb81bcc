import type { LanguageData } from "./language.ts";

/** QuickJS-ng; code is an ES module. */
export const javascript: LanguageData = {
  name: "javascript",
  guest: "javascript",
  code: "source",
  noInstall: "packages of npm cannot be installed in this version",
};
