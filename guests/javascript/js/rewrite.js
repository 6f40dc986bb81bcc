// `import x from "y"` in an interactive run, which is a script, becomes `const { default: x } = await import("y")`.
import { parse } from "es-module-lexer/minimal/js";

const STATIC = 1;

function names(braces) {
  return braces
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part) => part.replace(/\s+as\s+/, ": "))
    .join(", ");
}

function declaration(clause, from) {
  const [, first, namespace, braces] = /^(?:([^\s{*,]+)\s*,?\s*)?(?:\*\s*as\s+([^\s,]+))?(?:\{([^}]*)\})?$/.exec(clause) ?? [];
  if (first === undefined && namespace === undefined && braces === undefined) return undefined;
  if (namespace) return `const ${namespace} = ${from}${first ? `, { default: ${first} } = ${namespace}` : ""};`;
  return `const { ${[first && `default: ${first}`, braces && names(braces)].filter(Boolean).join(", ")} } = ${from};`;
}

/** The source with its static imports made dynamic, line by line where it was; as it is when it cannot be read. */
export function rewrite(source) {
  let imports;
  try {
    [imports] = parse(source);
  } catch {
    return source;
  }
  let out = "";
  let done = 0;
  for (const { t, s, e, ss, se, a } of imports) {
    if (t !== STATIC) continue;
    const attributes = a >= 0 ? `, { with: ${source.slice(a, se)} }` : "";
    const from = `await import(${source.slice(s - 1, e + 1)}${attributes})`;
    const clause = source.slice(ss + "import".length, s - 1).replace(/\/\*[^]*?\*\/|\/\/.*/g, " ").replace(/\sfrom\s*$|(?<=[}])from\s*$/, "").trim();
    const text = clause === "" ? `${from};` : declaration(clause, from);
    if (!text) continue;
    out += source.slice(done, ss) + text + "\n".repeat(source.slice(ss, se).split("\n").length - 1);
    done = se;
  }
  return out + source.slice(done);
}
