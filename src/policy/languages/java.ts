import { bundled } from "../parsers.ts";
import { rewritten } from "../rewritten.ts";
import { scanErrors } from "../scan_errors.ts";
import type { Checking, PolicyLanguage } from "./language.ts";

/** Methods that make calls of names that are known at run time only, by class. */
const _reflection = new Set([
  "Class.forName",
  "ClassLoader.loadClass",
  "loadClass",
  "defineClass",
  "getMethod",
  "getDeclaredMethod",
  "getDeclaredField",
  "setAccessible",
  "newInstance",
  "invoke",
  "invokeExact",
  "MethodHandles.lookup",
  "MethodHandles.privateLookupIn",
  "getEngineByName",
  "getSystemJavaCompiler",
  "System.load",
  "System.loadLibrary",
  "Unsafe.getUnsafe",
]);

const _dotted = new Set([
  "scoped_identifier",
  "scoped_type_identifier",
  "field_access",
]);

/** Java. */
export const java: PolicyLanguage = {
  name: "java",
  grammar: bundled("java"),
  closed: ["line_comment", "block_comment", "string_literal"],
  naming: { separator: ".", module: (name) => name },
  // The language replaces these before it looks at anything else.
  prepare: (code) =>
    rewritten(
      code,
      /(\\*)\\u+([0-9a-fA-F]{4})/g,
      ([all, before, digits]) =>
        before!.length % 2 === 1
          ? all
          : before! + String.fromCharCode(parseInt(digits!, 16)),
    ),
  check: (checking) => _check(checking),
};

function _check(checking: Checking): void {
  const { tree, rules, findings } = checking;
  scanErrors(checking);
  /** What short names of classes and methods mean; "*" is all of a package. */
  const names = new Map<string, string>();
  const packages: string[] = [];
  // Longer ones are no names.
  const plain = (node: number) =>
    tree.textOf(node).slice(0, 400).replace(/\s+/g, "");
  for (let node = 0; node < tree.size; node++) {
    if (tree.kind(node) !== "import_declaration") continue;
    const path = plain(tree.first(node));
    rules.reportModule(findings, path, tree.start(node));
    rules.reportCall(findings, path, tree.start(node));
    if (tree.kind(tree.lastChild(node)) === "asterisk") packages.push(path);
    else names.set(path.slice(path.lastIndexOf(".") + 1), path);
  }
  const near = [...rules.members].filter(([module]) => {
    const short = module.slice(module.lastIndexOf(".") + 1);
    return tree.text.includes(short) && (names.has(short) ||
      module.startsWith("java.lang.") ||
      packages.some((one) => module === `${one}.${short}`));
  });
  /** Every whole name that one may mean. */
  const meanings = (path: string): string[] => {
    const cut = path.indexOf(".");
    const first = cut < 0 ? path : path.slice(0, cut);
    const known = names.get(first);
    if (known) return [known + path.slice(first.length)];
    return [
      path,
      `java.lang.${path}`,
      ...packages.map((one) => `${one}.${path}`),
    ];
  };
  const use = (path: string, node: number): boolean => {
    const at = tree.start(node);
    return meanings(path).some((one) => {
      // What is in java.lang is there without an import.
      if (rules.module(one)) return rules.reportModule(findings, one, at);
      return rules.reportCall(findings, one, at);
    });
  };
  /** The class that an expression is of, where that can be told from names. */
  const owner = (node: number, depth = 0): string | undefined => {
    if (depth > 8) return undefined;
    const kind = tree.kind(node);
    if (kind === "identifier" || _dotted.has(kind)) return plain(node);
    if (kind === "method_invocation" || kind === "object_creation_expression") {
      const first = tree.first(node);
      const inner =
        kind === "method_invocation" && tree.children(node).length < 3
          ? undefined
          : owner(first, depth + 1);
      return inner?.split("(")[0];
    }
    return kind.endsWith("type_identifier") ? plain(node) : undefined;
  };
  for (let node = 0; node < tree.size; node++) {
    const kind = tree.kind(node);
    const above = tree.kind(tree.parent(node));
    if (above === "import_declaration" || above === "package_declaration") {
      node = tree.last(node);
      continue;
    }
    if (_dotted.has(kind) && !_dotted.has(above)) {
      const path = plain(node);
      use(path, node);
    } else if (
      kind === "type_identifier" && above !== "scoped_type_identifier"
    ) {
      use(tree.textOf(node), node);
    } else if (
      kind === "identifier" &&
      /^(method_invocation|field_access|method_reference)$/.test(above) &&
      tree.first(tree.parent(node)) === node
    ) use(tree.textOf(node), node);
    if (kind === "method_reference") {
      const [object, method] = tree.children(node);
      const of = object === undefined ? undefined : owner(object);
      if (of && method !== undefined) use(`${of}.${plain(method)}`, node);
    }
    if (kind !== "method_invocation") continue;
    const children = tree.children(node).filter((one) =>
      tree.kind(one) !== "type_arguments"
    );
    const name = plain(children.at(-2) ?? node);
    const of = children.length > 2 ? owner(children[0]!) : undefined;
    if (!(of && use(`${of}.${name}`, node)) && children.length <= 2) {
      use(name, node);
    }
    // A method of something unknown, whose class is in the program.
    for (const [module, members] of children.length > 2 ? near : []) {
      if (!members.has(name)) continue;
      if (of !== undefined && meanings(of).includes(module)) continue;
      const path = `${module}.${name}`;
      const message = `this may be ${path}`;
      rules.reportDynamic(findings, path, message, tree.start(node));
    }
    const called = of === undefined
      ? name
      : `${of.slice(of.lastIndexOf(".") + 1)}.${name}`;
    if (
      _reflection.has(called) || (children.length > 2 && _reflection.has(name))
    ) {
      rules.reportDynamic(
        findings,
        called,
        `${called} works with names that are known at run time only`,
        tree.start(node),
      );
    }
  }
}
