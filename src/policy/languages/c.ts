import { bundled, type GrammarSource } from "../parsers.ts";
import { rewritten } from "../rewritten.ts";
import { scanErrors } from "../scan_errors.ts";
import type { Checking, PolicyLanguage } from "./language.ts";

/** Functions through which any other can be had. */
const _opaque: ReadonlyMap<string, string> = new Map([
  ["dlopen", "loads code that is not in the program"],
  ["dlsym", "finds functions by a name at run time"],
  ["syscall", "calls the system by number"],
  ["mprotect", "makes data into code"],
  ["LoadLibraryA", "loads code that is not in the program"],
  ["GetProcAddress", "finds functions by a name at run time"],
]);

const _trigraphs: Readonly<Record<string, string>> = {
  "??=": "#",
  "??/": "\\",
  "??'": "^",
  "??(": "[",
  "??)": "]",
  "??!": "|",
  "??<": "{",
  "??>": "}",
  "??-": "~",
};

const _family = (name: string, grammar: GrammarSource): PolicyLanguage => ({
  name,
  grammar,
  closed: ["comment", "string_literal", "raw_string_literal", "char_literal"],
  naming: {
    separator: "::",
    // Headers of C have one name more in C++: stdlib.h is cstdlib.
    module: (name) =>
      name.replace(
        /^c(?=[a-z]+$)(?=(assert|ctype|errno|fenv|float|inttypes|limits|locale|math|setjmp|signal|stdarg|stddef|stdint|stdio|stdlib|string|time|uchar|wchar)$)/,
        "",
      ).replace(/\.h(pp|xx)?$/, ""),
  },
  // Lines that go on, and signs that are written in another way, are put together before anything is understood.
  prepare: (code) =>
    rewritten(
      code,
      /\?\?[=/'()!<>-](\r?\n)?|\\[ \t]*\r?\n|(?<=^[ \t]*)%:/gm,
      ([all]) => {
        if (all.startsWith("??/") && all.length > 3) return "";
        if (all.startsWith("??")) {
          return (_trigraphs[all.slice(0, 3)] ?? all) + all.slice(3);
        }
        return all === "%:" ? "#" : "";
      },
    ),
  check: (checking) => _check(checking),
});

/** C. */
export const c: PolicyLanguage = _family("c", {
  package: "tree-sitter-c",
  file: "tree-sitter-c.wasm",
});

/** C++. */
export const cpp: PolicyLanguage = _family("cpp", bundled("cpp"));

const _word = /[A-Za-z_]\w*/g;

function _check(checking: Checking): void {
  const { tree, rules, findings } = checking;
  scanErrors(checking);
  // Longer ones are no names.
  const plain = (node: number) =>
    tree.textOf(node).slice(0, 400).replace(/\s+/g, "");
  /** What a short name of a namespace stands for. */
  const aliases = new Map<string, string>();
  const called = (path: string, at: number) => {
    const cut = path.indexOf("::");
    const first = cut < 0 ? path : path.slice(0, cut);
    const whole = (aliases.get(first) ?? first) + path.slice(first.length);
    const bare = whole.replace(/^(::)?(std::)?/, "");
    const known = rules.reportCall(findings, whole.replace(/^::/, ""), at) ||
      rules.reportCall(findings, bare, at);
    const why = known ? undefined : _opaque.get(bare);
    if (why) rules.reportDynamic(findings, bare, `${bare} ${why}`, at);
  };
  for (let node = 0; node < tree.size; node++) {
    const at = tree.start(node);
    switch (tree.kind(node)) {
      case "preproc_include": {
        const path = tree.first(node);
        const kind = path < 0 ? "" : tree.kind(path);
        if (kind === "system_lib_string" || kind === "string_literal") {
          rules.reportModule(findings, plain(path).slice(1, -1), at);
        } else {rules.reportDynamic(
            findings,
            "include",
            "what is included is known to the preprocessor only",
            at,
          );}
        node = tree.last(node);
        break;
      }
      case "preproc_call":
        if (/^\s*#\s*(include_next|import|embed)\b/.test(tree.textOf(node))) {
          rules.reportDynamic(
            findings,
            "include",
            "what is included is known to the preprocessor only",
            at,
          );
        }
        break;
      case "import_declaration": {
        const name = tree.first(node);
        if (name >= 0) {
          rules.reportModule(
            findings,
            plain(name).replace(/^[<"]|[>"]$/g, ""),
            at,
          );
        }
        break;
      }
      case "namespace_alias_definition":
        aliases.set(plain(tree.first(node)), plain(tree.lastChild(node)));
        break;
      case "preproc_arg": {
        // What a macro stands for is code, wherever it is put.
        const text = tree.textOf(node);
        for (const match of text.matchAll(_word)) {
          called(match[0], at + match.index);
        }
        if (text.includes("##")) {
          rules.reportDynamic(
            findings,
            "macro",
            "a macro puts names together",
            at,
          );
        }
        break;
      }
      case "identifier":
        // Names of macros are no functions.
        if (
          !/^(qualified_identifier|preproc_(ifdef|defined|def|function_def|params|undef))$/
            .test(tree.kind(tree.parent(node)))
        ) {
          called(tree.textOf(node), at);
        }
        break;
      case "qualified_identifier":
        // Names of macros are no functions.
        if (
          !/^(qualified_identifier|preproc_(ifdef|defined|def|function_def|params|undef))$/
            .test(tree.kind(tree.parent(node)))
        ) {
          called(plain(node), at);
        }
        break;
      case "gnu_asm_expression":
      case "ms_asm":
      case "asm_statement":
        rules.reportDynamic(
          findings,
          "asm",
          "assembler code is not looked into",
          at,
        );
        break;
    }
  }
}
