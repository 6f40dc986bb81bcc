import type { Language } from "../options.ts";
import { javascript } from "./javascript.ts";
import type { LanguageData } from "./language.ts";
import { python } from "./python.ts";
import { wasm } from "./wasm.ts";

/** Every language by its name. */
export const languages: Readonly<Partial<Record<Language, LanguageData>>> = {
  python,
  javascript,
  wasm,
};
