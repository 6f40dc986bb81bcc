import { type Atoms, pathsOf, textsOf } from "../atoms.ts";
import type { Checking } from "./language.ts";
import {
  evaluators,
  harmless,
  importers,
  inner,
  makers,
  opaque,
  plainModule,
  readers,
} from "./python_names.ts";
import type { PythonValues } from "./python_values.ts";

/** Where a value is, and is not lost from sight. */
const _followed: ReadonlySet<string> = new Set([
  "attribute",
  "aliased_import",
  "assignment",
  "named_expression",
  "parenthesized_expression",
  "conditional_expression",
  "boolean_operator",
  "comparison_operator",
  "list",
  "tuple",
  "set",
  "dictionary",
  "pair",
  "expression_list",
  "expression_statement",
  "return_statement",
  "lambda",
  "for_statement",
  "for_in_clause",
  "list_comprehension",
  "generator_expression",
  "set_comprehension",
  "if_statement",
  "while_statement",
  "assert_statement",
  "not_operator",
  "default_parameter",
  "typed_default_parameter",
  "subscript",
  "type",
  "delete_statement",
  "list_splat",
  "await",
]);

/** What holds values and is no name. */
const _holders: ReadonlySet<string> = new Set([
  "list",
  "tuple",
  "set",
  "dictionary",
  "parenthesized_expression",
  "conditional_expression",
  "boolean_operator",
  "named_expression",
  "list_splat",
  "dictionary_splat",
  "list_comprehension",
  "generator_expression",
]);

/** Where a function without a name gets one, or is called at once. */
const _named: ReadonlySet<string> = new Set([
  "assignment",
  "named_expression",
  "parenthesized_expression",
]);

/** What is done to a value at one place. */
type _Use = "called" | "followed" | "handed on";

/** Says what is done with values from outside, and keeps those in mind that go out of sight. */
export class PythonUses {
  readonly #checking: Checking;
  /** Functions of which it is known what they answer goes out of sight. */
  readonly #answered = new Set<string>();
  readonly #values: PythonValues;
  /** Names of attributes of values that are not known, and where they are taken. */
  readonly unknown = new Map<string, number>();
  /** Whether annotations are worked out as code. */
  evaluatesAnnotations = false;
  /** Restricted modules of which an import was found, so that what is done with them needs no saying. */
  readonly #imported = new Set<string>();

  constructor(checking: Checking, values: PythonValues) {
    this.#checking = checking;
    this.#values = values;
  }

  /** Says that something is decided at run time only. */
  dynamic(name: string, message: string, node: number): void {
    const { rules, findings, tree } = this.#checking;
    rules.reportDynamic(findings, name, message, tree.start(node));
  }

  /** Says that a module is used. */
  module(name: string, node: number): boolean {
    const { rules, findings, tree } = this.#checking;
    const rule = rules.module(name);
    if (rule) this.#imported.add(rule.name);
    return rules.reportModule(findings, name, tree.start(node));
  }

  #useOf(node: number): _Use {
    const { tree } = this.#checking;
    const parent = tree.parent(node);
    const kind = tree.kind(parent);
    if (kind === "call" && tree.first(parent) === node) return "called";
    if (kind === "decorator") return "handed on";
    // What a method answers, and a function that nobody has a name for, is seen by whoever calls it.
    if (kind === "return_statement") {
      return this.#values.scopes[node]!.parent?.isClass
        ? "handed on"
        : "followed";
    }
    if (kind === "lambda") {
      return _named.has(tree.kind(tree.parent(parent)))
        ? "followed"
        : "handed on";
    }
    if (kind === "assignment" || kind === "named_expression") {
      if (this.#values.scopes[node]!.isClass) return "handed on";
      const target = tree.first(parent);
      // The name on the left is no use of it.
      if (target === node) return "followed";
      return ["attribute", "subscript"].includes(tree.kind(target))
        ? "handed on"
        : "followed";
    }
    return _followed.has(kind) ? "followed" : "handed on";
  }

  /** A place where a value is used that may come from outside. */
  reference(node: number, atoms: Atoms, said = false): void {
    if (atoms.length === 0) return;
    const paths = pathsOf(atoms);
    const use = this.#useOf(node);
    if (use === "handed on") this.#answers(atoms, node);
    if (paths.length === 0) return;
    for (const path of paths) {
      if (makers.has(path)) this.#makes(path, node, use);
    }
    if (said && use !== "handed on") return;
    for (const path of paths) this.reported(path, node, use, said);
  }

  /** A function of the program is handed on: what it answers goes out of sight. */
  #answers(atoms: Atoms, node: number): void {
    for (const atom of atoms) {
      if (atom[0] !== "f" || this.#answered.has(atom)) continue;
      this.#answered.add(atom);
      for (const one of this.#values.returnsOf(atom)) {
        for (const path of pathsOf(this.#values.of(one))) {
          this.reported(path, node, "handed on", true);
        }
      }
    }
  }

  /** A class that makes functions is called, or handed on to where it may be. */
  #makes(path: string, node: number, use: _Use): void {
    const { tree } = this.#checking;
    if (use === "followed") return;
    if (use === "handed on") {
      if (this.#isHarmlessArgument(node)) return;
      const above = tree.kind(tree.parent(node));
      if (
        /^(type|typed_parameter|generic_type|type_parameter|union_type)$/.test(
          above,
        )
      ) return;
      // In a tuple of classes to compare with.
      if (above === "tuple" || above === "keyword_argument") return;
    }
    this.dynamic(
      path,
      `${path} makes functions of code that is not in the program`,
      node,
    );
  }

  /** Says what a name from outside is, and what is done with it. */
  reported(path: string, node: number, use: _Use, said = false): void {
    if (!said) this.#named(path, node);
    if (use !== "handed on") return;
    const plain = path.startsWith("builtins.") ? path.slice(9) : path;
    if (importers.has(path) || evaluators.has(path)) {
      this.dynamic(plain, `${plain} is handed on, to be called later`, node);
    }
    if (readers.has(path) && !this.#isArgument(node)) {
      this.dynamic(plain, `${plain} is handed on, to be called later`, node);
    }
    if (this.#isHarmlessArgument(node)) return;
    if (path === "sys.modules" && !this.#isCounted(node)) {
      this.dynamic(path, "the table of all modules is handed on", node);
    }
    this.#values.escaped.add(path);
  }

  #named(path: string, node: number): void {
    const { rules, findings, tree } = this.#checking;
    const at = tree.start(node);
    const plain = path.startsWith("builtins.") ? path.slice(9) : path;
    rules.reportCall(findings, plain, at) ||
      (plain !== path && rules.reportCall(findings, path, at));
    // Parts of modules are restricted by their whole name; modules where they are reached without an import.
    const rule = path.startsWith("builtins.") ? undefined : rules.module(path);
    if (rule && !this.#imported.has(rule.name)) this.module(path, node);
    if (path.endsWith("get_type_hints") || path.endsWith("get_annotations")) {
      this.evaluatesAnnotations = true;
    }
    const why = opaque.get(path) ?? opaque.get(plainModule(path));
    if (why) this.dynamic(path, `${plain} ${why}`, node);
  }

  /** Only the names in a table are looked at. */
  #isCounted(node: number): boolean {
    const { tree } = this.#checking;
    const list = tree.parent(node);
    if (tree.kind(list) === "comparison_operator") return true;
    if (tree.kind(list) !== "argument_list") return false;
    return pathsOf(this.#values.of(tree.first(tree.parent(list)))).some((one) =>
      /^builtins\.(list|sorted|set|tuple|frozenset|iter|enumerate)$/.test(one)
    );
  }

  #isArgument(node: number): boolean {
    return this.#checking.tree.kind(this.#checking.tree.parent(node)) ===
      "argument_list";
  }

  #isHarmlessArgument(node: number): boolean {
    const { tree } = this.#checking;
    const list = tree.parent(node);
    if (tree.kind(list) !== "argument_list") return false;
    const callee = this.#values.of(tree.first(tree.parent(list)));
    return callee.length > 0 &&
      callee.every((atom) => harmless.has(atom.slice(1)));
  }

  /** An attribute is taken by its name. */
  attribute(node: number, object: Atoms, name: string): void {
    if (inner.has(name) && !(name === "__code__" && this.#isLookedAt(node))) {
      // `importlib.import_module` and the like are judged by what they are given.
      const known = pathsOf(object).some((path) =>
        importers.has(`${path}.${name}`) || opaque.has(`${path}.${name}`)
      );
      if (!known) {
        this.dynamic(
          name,
          `${name} leads to what is inside of the interpreter`,
          node,
        );
      }
    }
    if (pathsOf(object).length === 0 && !this.unknown.has(name)) {
      this.unknown.set(name, node);
    }
  }

  /** Only a part of a function's code is read, such as its name. */
  #isLookedAt(node: number): boolean {
    const { tree } = this.#checking;
    const above = tree.parent(node);
    return tree.kind(above) === "attribute" && tree.first(above) === node &&
      tree.textOf(tree.lastChild(above)).startsWith("co_");
  }

  /** Names that must not be used, taken from something unknown while their module is somewhere out of sight. */
  lostModules(): void {
    const { rules, findings, tree } = this.#checking;
    for (const module of this.#values.escaped) {
      const members = module === "builtins"
        ? new Set([
          ...rules.membersOf("") ?? [],
          "eval",
          "exec",
          "__import__",
          "compile",
        ])
        : rules.membersOf(module);
      for (const name of members ?? []) {
        const node = this.unknown.get(name);
        if (node === undefined) continue;
        const path = module === "builtins" ? name : `${module}.${name}`;
        rules.reportDynamic(
          findings,
          path,
          `this may be ${path}, as ${module} is handed on`,
          tree.start(node),
        );
      }
      if (rules.call(`${module}.*`) && !rules.call(module)) {
        rules.reportCall(findings, `${module}.*`, 0);
      }
    }
  }

  /** What is in a list, a table or the like that is handed to a function. */
  handsOn(node: number, call: number): void {
    if (this.#checking.tree.kind(node) === "string") {
      // The name of what leads inside, whatever is done with it.
      for (const text of textsOf(this.#values.of(node))) {
        if (text.startsWith("__") && inner.has(text)) {
          this.attribute(call, [], text);
        }
      }
    }
    if (!_holders.has(this.#checking.tree.kind(node))) return;
    for (const path of pathsOf(this.#values.of(node))) {
      if (importers.has(path) || evaluators.has(path) || readers.has(path)) {
        this.reported(path, node, "handed on", true);
      } else this.#values.escaped.add(path);
    }
  }
}

/** Whether a file whose name is one of code is opened to be written; without `named` it surely is written. */
export function writesCode(
  values: PythonValues,
  list: readonly number[],
  named: ReadonlyMap<string, number> | undefined,
): boolean {
  if (named) {
    const mode = list[1] ?? named.get("mode");
    if (mode === undefined) return false;
    const atoms = values.of(mode);
    const reads = textsOf(atoms).every((text) => /^r[bt]?$/.test(text));
    if (reads && atoms.length > 0) return false;
  }
  const first = list[0] ?? named?.get("file") ?? -1;
  const text = first < 0 ? "" : values.tree.textOf(first);
  return /\.(py[cdwo]?|pth|so|zip|egg|whl)['"]/.test(text.slice(0, 2_000));
}
