import type { LanguageData } from "./language.ts";

/** Any WASI preview 1 command module. */
export const wasm: LanguageData = {
  name: "wasm",
  guest: null,
  code: "module",
  noInstall: "a WASI module has everything linked in",
};
