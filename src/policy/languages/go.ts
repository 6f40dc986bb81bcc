import { bundled } from "../parsers.ts";
import { scanErrors } from "../scan_errors.ts";
import type { Checking, PolicyLanguage } from "./language.ts";

/** Packages through which code that is not in the program runs. */
const _opaque: ReadonlyMap<string, string> = new Map([
  ["C", "runs C code, which is not looked into"],
  ["unsafe", "goes around types"],
  ["plugin", "loads code that is not in the program"],
]);

/** Go; a path's last part is the package's name, and a function is path.Name. */
export const go: PolicyLanguage = {
  name: "go",
  grammar: bundled("go"),
  closed: [],
  naming: { separator: ".", module: (name) => name.replaceAll("/", ".") },
  prepare: (code) => ({ text: code }),
  check: (checking) => _check(checking),
};

function _check(checking: Checking): void {
  const { tree, rules, findings } = checking;
  scanErrors(checking);
  const packages = new Map<string, string>();
  const all: string[] = [];
  for (let node = 0; node < tree.size; node++) {
    const at = tree.start(node);
    const kind = tree.kind(node);
    if (kind === "comment") {
      if (/^\/\/go:(linkname|cgo_|embed)/.test(tree.textOf(node))) {
        rules.reportDynamic(
          findings,
          "directive",
          "a directive ties the program to other code",
          at,
        );
      }
      continue;
    }
    if (kind === "import_spec") {
      const path = _text(tree.textOf(tree.lastChild(node)));
      rules.reportModule(findings, path, at);
      const why = _opaque.get(path);
      if (why) rules.reportDynamic(findings, path, `${path} ${why}`, at);
      const name = tree.first(node) === tree.lastChild(node)
        ? ""
        : tree.textOf(tree.first(node));
      if (name === ".") all.push(path);
      else {packages.set(
          name || path.replace(/\/v\d+$/, "").split("/").at(-1)!,
          path,
        );}
      node = tree.last(node);
      continue;
    }
    if (kind === "selector_expression" || kind === "qualified_type") {
      const object = tree.first(node);
      const path = packages.get(tree.textOf(object));
      const member = tree.textOf(tree.lastChild(node));
      if (path !== undefined && tree.last(object) === object) {
        rules.reportCall(
          findings,
          `${path.replaceAll("/", ".")}.${member}`,
          at,
        );
      }
      if (/^(MethodByName|Lookup)$/.test(member) && path === undefined) {
        rules.reportDynamic(
          findings,
          member,
          `${member} finds functions by a name at run time`,
          at,
        );
      }
    } else if (kind === "identifier" || kind === "type_identifier") {
      for (const path of all) {
        rules.reportCall(
          findings,
          `${path.replaceAll("/", ".")}.${tree.textOf(node)}`,
          at,
        );
      }
    }
  }
}

function _text(literal: string): string {
  if (literal.startsWith("`")) return literal.slice(1, -1);
  return literal.slice(1, -1).replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|([0-7]{3}))/g,
    (_, x, u, o) =>
      String.fromCharCode(o ? parseInt(o, 8) : parseInt(x ?? u, 16)),
  );
}
