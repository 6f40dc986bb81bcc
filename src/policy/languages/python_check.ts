import {
  allTexts,
  type Atoms,
  mayBeInner,
  pathsOf,
  textsOf,
} from "../atoms.ts";
import { scanErrors } from "../scan_errors.ts";
import type { Bound, Checking } from "./language.ts";
import { bindPython, type Imported, type PythonNames } from "./python_bind.ts";
import {
  evaluators,
  importers,
  inner,
  makers,
  opaque,
  plainModule,
  readers,
} from "./python_names.ts";
import { identifier } from "./python_text.ts";
import { PythonUses, writesCode } from "./python_uses.ts";
import { isTable, PythonValues } from "./python_values.ts";

/** Checks Python. */
export function checkPython(checking: Checking): Bound {
  return new _Python(checking).run();
}

class _Python {
  readonly #uses: PythonUses;
  /** Names that were bound out of sight: by earlier cells, or all of a module's. */
  readonly #elsewhere: Set<string>;
  readonly #checking: Checking;
  readonly #names: PythonNames;
  readonly #values: PythonValues;
  readonly #annotations: number[] = [];

  constructor(checking: Checking) {
    this.#checking = checking;
    this.#elsewhere = new Set(checking.bound.keys());
    this.#names = bindPython(checking.tree, checking.bound);
    this.#values = new PythonValues(checking.tree, this.#names, checking.rules);
    this.#uses = new PythonUses(checking, this.#values);
  }

  run(): Bound {
    const { tree } = this.#checking;
    scanErrors(this.#checking, identifier);
    for (const one of this.#names.imports) this.#import(one);
    // From the back: what is in a node is known before the node.
    for (let node = tree.size - 1; node >= 0; node--) {
      switch (tree.kind(node)) {
        case "identifier":
          this.#identifier(node);
          break;
        case "attribute":
          this.#uses.reference(node, this.#values.of(node));
          this.#uses.attribute(
            node,
            this.#values.of(tree.first(node)),
            identifier(tree.textOf(tree.lastChild(node))),
          );
          break;
        case "keyword_pattern":
          this.#uses.attribute(
            node,
            [],
            identifier(tree.textOf(tree.first(node))),
          );
          break;
        case "call":
          this.#call(node);
          break;
        case "subscript":
          this.#subscript(node);
          break;
        case "exec_statement":
          this.#uses.dynamic("exec", "exec runs code", node);
          break;
        case "type":
          if (/^\s*[A-Za-z]*['"]/.test(tree.textOf(node))) {
            this.#annotations.push(node);
          }
          break;
      }
    }
    this.#uses.lostModules();
    if (this.#uses.evaluatesAnnotations) {
      for (const node of this.#annotations) {
        for (const code of textsOf(this.#values.of(node))) {
          this.#checking.nested(code, node);
        }
      }
    }
    return this.#values.boundNames();
  }

  #import({ module, member, node }: Imported): void {
    const { rules } = this.#checking;
    const whole = member === undefined || member === "*"
      ? module
      : module.endsWith(".")
      ? module + member
      : `${module}.${member}`;
    if (module.startsWith(".")) {
      this.#uses.module(member && /^\.+$/.test(module) ? whole : module, node);
      return;
    }
    // What is taken from a module may be a module in it, or one that it imports itself.
    if (rules.module(whole)) this.#uses.module(whole, node);
    else this.#uses.module(module, node);
    if (member === undefined) return;
    if (member === "*") {
      for (const name of rules.membersOf(module) ?? []) {
        this.#starName(`${module}.${name}`, module);
      }
      const plain = plainModule(module);
      for (const names of [opaque, importers, evaluators, readers, makers]) {
        for (const path of names.keys()) {
          if (path.startsWith(`${plain}.`) && plain !== "builtins") {
            this.#starName(path, plain);
          }
        }
      }
      return;
    }
    const plain = member.replace(/^_+(?=.)/, "");
    if (
      module !== "__future__" && rules.module(plain) &&
      rules.roots.has(plain) && !rules.module(module)
    ) this.#uses.module(plain, node);
    this.#uses.reported(whole, node, "followed");
  }

  /** All of a module's names: those that are used count. */
  #starName(path: string, module: string): void {
    const name = path.slice(module.length + 1);
    const scope = this.#names.module;
    const bound = scope.names.get(name);
    if (bound) bound.push([`p${path}`]);
    else scope.names.set(name, [[`p${path}`]]);
    this.#elsewhere.add(name);
  }

  #identifier(node: number): void {
    const { tree } = this.#checking;
    const parent = tree.parent(node);
    const kind = tree.kind(parent);
    // Names that are bound or taken here are no references.
    if (kind === "dotted_name" || kind === "aliased_import") return;
    if (kind === "attribute" && tree.lastChild(parent) === node) return;
    if (kind === "keyword_argument" && tree.first(parent) === node) return;
    if (kind === "function_definition" || kind === "class_definition") {
      if (tree.first(parent) === node) return;
    }
    if (kind === "keyword_pattern") return;
    if (kind.endsWith("parameter") && tree.first(parent) === node) return;
    if (kind === "parameters" || kind === "lambda_parameters") return;
    const name = identifier(tree.textOf(node));
    // Where the name was bound, it was said what it is.
    const said = !this.#elsewhere.has(name) &&
      !this.#values.maybeFree(node, name);
    this.#uses.reference(node, this.#values.of(node), said);
  }

  #call(node: number): void {
    const values = this.#values;
    const { tree } = this.#checking;
    const callee = tree.first(node);
    const { list, named } = values.argumentsOf(node);
    const atoms = values.of(callee);
    // A call may answer what must not be used: `__import__("os")`, `getattr(os, "system")`.
    const own = atoms.length > 0 && atoms.every((atom) => atom[0] === "f");
    this.#uses.reference(node, values.of(node), own);
    for (const one of [...list, ...named.values()]) {
      this.#uses.handsOn(one, node);
    }
    const argument = (n: number, ...names: string[]) =>
      list[n] ?? names.map((name) => named.get(name)).find((one) => one) ?? -1;
    for (const path of pathsOf(atoms)) {
      if (importers.has(path)) {
        const target = argument(0, "name", "mod_name", "path", "fullname");
        this.#imports(path, target, argument(1, "package"), node);
      }
      const positions = evaluators.get(path);
      if (positions) this.#evaluates(path, positions, list, named, node);
      if (readers.has(path)) {
        this.#reads(
          path,
          values.of(list[0] ?? -1),
          list[0] ?? -1,
          list[1] ?? -1,
          node,
        );
      }
      if (path === "builtins.setattr" || path === "builtins.delattr") {
        const owner = pathsOf(values.of(list[0] ?? -1));
        if (owner.some((one) => one === "builtins" || isTable(one))) {
          this.#uses.dynamic("setattr", "names of builtins are changed", node);
        }
      }
      if (path === "builtins.type" && list.length === 3) {
        for (const one of pathsOf(values.of(list[2]!))) {
          this.#values.escaped.add(one);
        }
      }
      if (path === "operator.attrgetter" || path === "operator.methodcaller") {
        this.#namedLater(list, path === "operator.attrgetter", node);
      }
      if (path === "unittest.mock.patch" || path.endsWith("mock.patch")) {
        for (const text of textsOf(values.of(list[0] ?? -1))) {
          this.#uses.module(text, node);
        }
      }
      if (path === "builtins.open") this.#opens(list, named, node);
    }
    if (tree.kind(callee) === "attribute") this.#method(callee, list, node);
  }

  #method(callee: number, list: readonly number[], node: number): void {
    const { tree } = this.#checking;
    const values = this.#values;
    const name = tree.textOf(tree.lastChild(callee));
    const object = values.of(tree.first(callee));
    if (name === "__getattribute__") {
      const target = list.length > 1 ? list[0]! : tree.first(callee);
      this.#reads(name, values.of(target), target, list.at(-1) ?? -1, node);
    }
    if (
      ["get", "__getitem__", "pop", "setdefault", "update", "__setitem__"]
        .includes(name) && pathsOf(object).some(isTable)
    ) this.#looksUp(object, list[0] ?? -1, node);
    if (
      ["values", "items", "copy", "popitem"].includes(name) &&
      pathsOf(object).some(isTable)
    ) {
      const message = "all that is in a table of names is taken";
      this.#uses.dynamic(name, message, node);
    }
    if (name === "write_text" || name === "write_bytes") {
      this.#opens([tree.first(callee)], undefined, node);
    }
  }

  /** Files that are code: a later import would run them unseen. */
  #opens(
    list: readonly number[],
    named: Map<string, number> | undefined,
    node: number,
  ): void {
    if (!writesCode(this.#values, list, named)) return;
    const message = "a file of code is written, which can be imported";
    this.#uses.dynamic("open", message, node);
  }

  #imports(path: string, target: number, from: number, node: number): void {
    const plain = path.startsWith("builtins.") ? path.slice(9) : path;
    const atoms = this.#values.of(target);
    for (const text of textsOf(atoms)) {
      if (!text.startsWith(".")) {
        this.#uses.module(text.replace(":", "."), node);
      } else if (from >= 0) this.#uses.module(text, node);
    }
    if (!allTexts(atoms)) {
      this.#uses.dynamic(
        plain,
        `${plain} gets the name of its module at run time`,
        node,
      );
    }
  }

  #evaluates(
    path: string,
    positions: readonly number[],
    list: readonly number[],
    named: Map<string, number>,
    node: number,
  ): void {
    const plain = path.startsWith("builtins.") ? path.slice(9) : path;
    const { tree } = this.#checking;
    const keywords = ["source", "stmt", "setup", "expression", "object"];
    const targets = positions.map((one) => list[one] ?? -1).concat(
      keywords.map((name) => named.get(name) ?? -1),
    ).filter((one) => one >= 0);
    const starred = list.some((one) => tree.kind(one) === "list_splat");
    if (targets.length === 0 || starred) {
      if (positions.length === 0 || starred) {
        this.#uses.dynamic(plain, `${plain} runs code`, node);
      }
      return;
    }
    for (const target of targets) {
      const atoms = this.#values.of(target);
      for (const code of textsOf(atoms)) this.#checking.nested(code, target);
      const function_ = atoms.length > 0 &&
        atoms.every((atom) => atom[0] === "f" || atom[0] === "p");
      const takesFunctions = path.startsWith("timeit.");
      if (allTexts(atoms) || (takesFunctions && function_)) continue;
      // What compile() was given was judged there.
      const compiled = tree.kind(target) === "call" &&
        pathsOf(this.#values.of(tree.first(target))).includes(
          "builtins.compile",
        );
      if (compiled) continue;
      this.#uses.dynamic(
        plain,
        `${plain} runs code that is put together at run time`,
        node,
      );
    }
  }

  /** `getattr(object, name)` and its like. */
  #reads(
    path: string,
    object: Atoms,
    target: number,
    name: number,
    node: number,
  ): void {
    const { tree } = this.#checking;
    const plain = path.startsWith("builtins.") ? path.slice(9) : path;
    const atoms = this.#values.of(name);
    for (const text of textsOf(atoms)) {
      for (const part of text.split(".")) {
        this.#uses.attribute(node, object, part);
      }
    }
    if (allTexts(atoms)) return;
    const kind = tree.kind(target);
    const known = pathsOf(object).length > 0 ||
      ["string", "tuple", "list", "dictionary", "set", "integer", "float"]
        .includes(kind) ||
      (kind === "parenthesized_expression" &&
        tree.kind(tree.first(target)) !== "identifier");
    const again = kind === "call" && pathsOf(
      this.#values.of(tree.first(target)),
    ).some((one) => readers.has(one)) &&
      !allTexts(this.#values.of(tree.child(tree.lastChild(target), 1)));
    if (known || again || mayBeInner(atoms)) {
      this.#uses.dynamic(
        plain,
        `${plain} gets the name that it reads at run time`,
        node,
      );
    }
  }

  #namedLater(list: readonly number[], all: boolean, node: number): void {
    for (const one of all ? list : list.slice(0, 1)) {
      const atoms = this.#values.of(one);
      for (const text of textsOf(atoms)) {
        for (const part of text.split(".")) {
          this.#uses.attribute(node, [], part);
          if (this.#checking.rules.roots.has(part.replace(/^_+/, ""))) {
            this.#uses.module(part, node);
          }
        }
        if (
          /__(self|class|dict|base|bases|mro|call|getattribute)__/.test(text)
        ) {
          this.#uses.dynamic(
            "operator",
            `${text} leads to what is inside of the interpreter`,
            node,
          );
        }
      }
      if (!allTexts(atoms) && mayBeInner(atoms)) {
        this.#uses.dynamic(
          "operator",
          "a name to read is put together at run time",
          node,
        );
      }
    }
  }

  #subscript(node: number): void {
    const { tree } = this.#checking;
    const values = this.#values;
    const object = values.of(tree.first(node));
    const key = tree.child(node, 1);
    this.#uses.reference(node, values.of(node));
    for (const text of textsOf(values.of(key))) {
      if (inner.has(text) && text.startsWith("__")) {
        this.#uses.attribute(node, [], text);
      } else if (
        pathsOf(object).length === 0 && !this.#uses.unknown.has(text)
      ) {
        this.#uses.unknown.set(text, node);
      }
    }
    if (tree.kind(key) !== "slice" && pathsOf(object).some(isTable)) {
      this.#looksUp(object, key, node);
    }
  }

  /** A name is looked up in a table of names, as `globals()` is one. */
  #looksUp(object: Atoms, key: number, node: number): void {
    const atoms = this.#values.of(key);
    const { tree } = this.#checking;
    for (const path of pathsOf(object).filter(isTable)) {
      if (path === "sys.modules") {
        for (const text of textsOf(atoms)) this.#uses.module(text, node);
        const text = key < 0 ? "" : tree.textOf(key);
        if (text === "__name__" || text.endsWith(".__module__")) continue;
      }
      if (!allTexts(atoms)) {
        const name = path.replace("{}", ".__dict__").replace(
          /^(globals|locals)\.__dict__$/,
          "$1()",
        );
        this.#uses.dynamic(
          name,
          `a name is looked up in ${name} that is known at run time only`,
          node,
        );
      }
    }
  }
}
