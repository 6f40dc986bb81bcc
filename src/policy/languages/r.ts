import { scanErrors } from "../scan_errors.ts";
import { unescape } from "./python_text.ts";
import type { Checking, PolicyLanguage } from "./language.ts";

const _loaders = new Set([
  "library",
  "require",
  "requireNamespace",
  "loadNamespace",
  "attachNamespace",
  "getNamespace",
  "asNamespace",
]);
/** Functions that call, or answer, what they are given the name of. */
const _getters = new Set([
  "do.call",
  "match.fun",
  "get",
  "get0",
  "mget",
  "getFunction",
  "getExportedValue",
  "getFromNamespace",
  "Reduce",
  "Filter",
  "Map",
  "lapply",
  "sapply",
  "vapply",
  "mapply",
  "exists",
  "dynGet",
  "getAnywhere",
  "call",
  "as.name",
  "as.symbol",
  "sym",
]);
const _evaluators = new Set([
  "parse",
  "str2lang",
  "str2expression",
  "source",
  "sys.source",
  "eval",
  "evalq",
  "as.function",
  "body<-",
]);
const _opaque = new Set([
  ".Call",
  ".C",
  ".External",
  ".External2",
  ".Internal",
  ".Primitive",
  "dyn.load",
  "library.dynam",
  "readRDS",
  "load",
  "unserialize",
]);

/** R; a function of a package is package::name. */
export const r: PolicyLanguage = {
  name: "r",
  grammar: {
    package: "@davisvaughan/tree-sitter-r",
    file: "tree-sitter-r.wasm",
  },
  closed: ["comment", "string_content"],
  naming: { separator: "::", module: (name) => name.replace(/:::/g, "::") },
  prepare: (code) => ({ text: code }),
  check: (checking) => _check(checking),
};

function _check(checking: Checking): void {
  const { tree, rules, findings, nested } = checking;
  scanErrors(checking);
  /** A name or a text, as what is called. */
  const named = (node: number): string | undefined => {
    const kind = tree.kind(node);
    const text = tree.textOf(node);
    if (kind === "identifier") return text.replace(/^`|`$/g, "");
    if (kind !== "string") return undefined;
    const raw = /^[rR]["']-*[([{]([^]*)[)\]}]-*["']$/.exec(text);
    return raw ? raw[1] : unescape(text.slice(1, -1));
  };
  const dynamic = (name: string, message: string, node: number) =>
    rules.reportDynamic(findings, name, message, tree.start(node));
  const used = (name: string, node: number) => {
    rules.reportCall(findings, name, tree.start(node));
    for (const base of ["base", "utils", "stats", "methods"]) {
      rules.reportCall(findings, `${base}::${name}`, tree.start(node));
    }
    if (_opaque.has(name)) {
      dynamic(
        name,
        `${name} runs, or brings in, what is not in the program`,
        node,
      );
    }
  };
  for (let node = 0; node < tree.size; node++) {
    const kind = tree.kind(node);
    const parent = tree.parent(node);
    const above = tree.kind(parent);
    if (kind === "namespace_operator") {
      const [module, member] = tree.children(node).map((one) => named(one));
      if (module !== undefined) {
        rules.reportModule(findings, module, tree.start(node));
        if (member !== undefined) {
          if (
            !rules.reportCall(
              findings,
              `${module}::${member}`,
              tree.start(node),
            )
          ) used(member, node);
        }
      }
    } else if (
      kind === "identifier" &&
      !/^(namespace_operator|parameter|extract_operator)$/.test(above)
    ) {
      if (
        !(above === "argument" && tree.first(parent) === node &&
          tree.lastChild(parent) !== node)
      ) used(named(node)!, node);
    } else if (
      kind === "identifier" && above === "extract_operator" &&
      tree.first(parent) === node
    ) {
      used(named(node)!, node);
    } else if (kind === "call") {
      const callee = tree.first(node);
      const name = tree.kind(callee) === "namespace_operator"
        ? named(tree.lastChild(callee))
        : named(callee);
      if (tree.kind(callee) === "string" && name !== undefined) {
        used(name, node);
      }
      if (name === undefined) continue;
      const list = tree.children(tree.lastChild(node)).filter((one) =>
        tree.kind(one) === "argument"
      );
      const value = list[0] === undefined ? -1 : tree.lastChild(list[0]);
      if (_loaders.has(name) && value >= 0) {
        const only = list.some((one) =>
          /^character\.only\s*=/.test(tree.textOf(one))
        );
        const literal = name === "library" || name === "require";
        const module = tree.kind(value) === "string" || (literal && !only)
          ? named(value)
          : undefined;
        if (module !== undefined) {
          rules.reportModule(findings, module, tree.start(node));
        } else {dynamic(
            name,
            `${name} gets the name of its package at run time`,
            node,
          );}
      }
      if (_getters.has(name) && list.length > 0) {
        let known = name === "Map" || /apply$|^(Reduce|Filter)$/.test(name);
        for (const one of list) {
          const text = tree.kind(tree.lastChild(one)) === "string"
            ? named(tree.lastChild(one))
            : undefined;
          if (text === undefined) continue;
          used(text, node);
          known = true;
        }
        const first = tree.kind(value);
        if (
          !known &&
          !(name === "do.call" &&
            /^(identifier|function_definition|namespace_operator)$/.test(
              first,
            ) && !rules.call(named(value) ?? ""))
        ) {
          dynamic(name, `${name} gets its name at run time`, node);
        }
      }
      if (_evaluators.has(name) && list.length > 0) {
        const given = list.find((one) =>
          /^(text|s|expr)\s*=/.test(tree.textOf(one))
        ) ?? (name === "parse" ? undefined : list[0]);
        const inner = given === undefined ? -1 : tree.lastChild(given);
        const code = inner >= 0 && tree.kind(inner) === "string"
          ? named(inner)
          : undefined;
        const quoted = inner >= 0 &&
          /^(quote|bquote|expression|parse|str2lang|substitute)\b/.test(
            tree.textOf(inner).slice(0, 20),
          );
        if (code !== undefined && name !== "source" && name !== "sys.source") {
          nested(code, node);
        } else if (!(name.startsWith("eval") && quoted)) {
          dynamic(
            name,
            `${name} runs code that is put together at run time`,
            node,
          );
        }
      }
    }
  }
}
