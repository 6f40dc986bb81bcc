import type { BackendName, Language } from "../options.ts";
import { bash } from "./bash.ts";
import { c } from "./c.ts";
import { cpp } from "./cpp.ts";
import { go } from "./go.ts";
import { java } from "./java.ts";
import { javascript } from "./javascript.ts";
import { containers, type LanguageData } from "./language.ts";
import { python } from "./python.ts";
import { r } from "./r.ts";
import { ruby } from "./ruby.ts";
import { typescript } from "./typescript.ts";
import { wasm } from "./wasm.ts";

/** Every language by its name. */
export const languages: Readonly<Record<Language, LanguageData>> = {
  python,
  javascript,
  wasm,
  typescript,
  java,
  cpp,
  c,
  go,
  ruby,
  r,
  bash,
};

/** The backends that run a language. */
export function backendsOf(
  { guest, code, container }: LanguageData,
): BackendName[] {
  const inside: BackendName[] = guest !== null || code === "module"
    ? ["wasm", "hyperlight"]
    : [];
  return container ? [...inside, ...containers] : inside;
}
