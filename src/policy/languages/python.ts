import { bundled } from "../parsers.ts";
import type { PolicyLanguage } from "./language.ts";
import { checkPython } from "./python_check.ts";
import { packages, plainModule } from "./python_names.ts";
import { preparePython } from "./python_text.ts";

/** Python: CPython 3's rules. */
export const python: PolicyLanguage = {
  name: "python",
  grammar: bundled("python"),
  closed: ["string_content", "comment"],
  packages,
  naming: {
    separator: ".",
    module: plainModule,
  },
  prepare: preparePython,
  check: checkPython,
};
