import { bundled } from "../parsers.ts";
import type { PolicyLanguage } from "./language.ts";
import { prepareScript } from "./javascript_text.ts";
import { checkScript } from "./javascript_check.ts";

/** The one name of a module: `node:fs/promises` is `fs/promises`. */
function _module(name: string): string {
  const plain = name.replace(/^(node|bun|npm|jsr):\/?/, "");
  return plain.replace(/^(@?[^@]+)@[^/]+/, "$1").replaceAll("/", ".").replace(
    /\.(m|c)?js$/,
    "",
  );
}

/** JavaScript: what Node, Deno and QuickJS have in common, and the names of each. */
export const javascript: PolicyLanguage = {
  name: "javascript",
  grammar: bundled("javascript"),
  closed: ["comment", "regex"],
  naming: { separator: ".", module: _module },
  prepare: prepareScript,
  check: (checking) => checkScript(checking, _module),
};

/** TypeScript: JavaScript with types. */
export const typescript: PolicyLanguage = {
  ...javascript,
  name: "typescript",
  grammar: bundled("typescript"),
};
