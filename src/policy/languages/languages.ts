import { bash } from "./bash.ts";
import { c, cpp } from "./c.ts";
import { go } from "./go.ts";
import { java } from "./java.ts";
import type { PolicyLanguage } from "./language.ts";
import { javascript, typescript } from "./javascript.ts";
import { python } from "./python.ts";
import { r } from "./r.ts";
import { ruby } from "./ruby.ts";

/** Every language that policies know, by its name. */
export const policyLanguages: Readonly<Record<string, PolicyLanguage>> = {
  python,
  javascript,
  typescript,
  java,
  c,
  cpp,
  go,
  ruby,
  r,
  bash,
};
