import { type Atoms, pathsOf } from "../atoms.ts";
import type { Checking } from "./language.ts";
import {
  evaluators,
  followed,
  inner,
  opaque,
  reads,
} from "./javascript_names.ts";
import { isFunction } from "./javascript_bind.ts";
import { word } from "./javascript_text.ts";
import type { ScriptValues } from "./javascript_values.ts";

/** Says what is done with values from outside, and keeps those in mind that go out of sight. */
export class ScriptUses {
  readonly #checking: Checking;
  /** Functions of which it is known what they answer goes out of sight. */
  readonly #answered = new Set<string>();
  readonly #values: ScriptValues;
  /** Names of properties of values that are not known, and where they are taken. */
  readonly #unknown = new Map<string, number>();

  constructor(checking: Checking, values: ScriptValues) {
    this.#checking = checking;
    this.#values = values;
  }

  /** Says that something is decided at run time only. */
  dynamic(name: string, message: string, node: number): void {
    const { rules, findings, tree } = this.#checking;
    rules.reportDynamic(findings, name, message, tree.start(node));
  }

  /** Says that a module is used. */
  module(name: string, node: number): void {
    const { rules, findings, tree } = this.#checking;
    if (/^(data|blob|https?|file):/i.test(name)) {
      this.dynamic("import", "a module is loaded from an address", node);
      return;
    }
    rules.reportModule(findings, name, tree.start(node));
  }

  /** A place where a value is used that may come from outside. */
  reference(node: number, atoms: Atoms, said = false): void {
    if (atoms.length === 0) return;
    const { rules, findings, tree } = this.#checking;
    if (tree.kind(tree.parent(node)) === "arguments") this.#answers(atoms);
    for (const path of pathsOf(atoms)) {
      if (!said) {
        rules.reportCall(findings, path, tree.start(node));
        if (
          path.includes(".") && rules.module(path) &&
          !rules.module(path.split(".")[0]!)
        ) {
          this.module(path, node);
        }
        const why = opaque.get(path);
        if (why) this.dynamic(path, `${path} ${why}`, node);
      }
      this.#used(path, node);
    }
  }

  /** A function of the program is handed on: what it answers goes out of sight. */
  #answers(atoms: Atoms): void {
    for (const atom of atoms) {
      if (atom[0] !== "f" || this.#answered.has(atom)) continue;
      this.#answered.add(atom);
      for (const one of this.#values.returnsOf(atom)) {
        for (const path of pathsOf(this.#values.of(one))) {
          this.#values.escaped.add(path);
        }
      }
    }
  }

  /** Whether what is answered here is answered to whoever calls, not to a name that is followed. */
  #isAnswered(kind: string, parent: number): boolean {
    const { tree } = this.#checking;
    if (kind === "arrow_function") {
      return !/^(variable_declarator|parenthesized_expression|assignment_expression)$/
        .test(tree.kind(tree.parent(parent)));
    }
    if (kind !== "return_statement") return false;
    let above = tree.parent(parent);
    // Further up, nobody knows.
    for (let steps = 0; above >= 0 && steps < 100; steps++) {
      const one = tree.kind(above);
      if (isFunction(one)) return one !== "function_declaration";
      above = tree.parent(above);
    }
    return true;
  }

  /** What is done with a value that must be kept in sight. */
  #used(path: string, node: number): void {
    const { tree } = this.#checking;
    const parent = tree.parent(node);
    const kind = tree.kind(parent);
    const calls = (kind === "call_expression" || kind === "new_expression") &&
      tree.first(parent) === node;
    if (calls) return;
    const isTarget = kind === "assignment_expression" &&
      tree.first(parent) === node;
    if (isTarget) return;
    const stored = kind === "assignment_expression" &&
      /^(member|subscript)_expression$/.test(tree.kind(tree.first(parent)));
    const lost = stored || !followed.has(kind);
    if (kind === "member_expression" || kind === "subscript_expression") {
      const name = kind === "member_expression"
        ? word(tree.textOf(tree.lastChild(parent)))
        : "";
      if (tree.first(parent) !== node) return;
      if (
        (evaluators.has(path) || this.#values.isRequirer(path)) &&
        ["call", "apply", "bind"].includes(name)
      ) {
        this.dynamic(path, `${path} is called in a roundabout way`, node);
      }
      return;
    }
    if (path === "globalThis" && kind === "spread_element") {
      this.dynamic("globalThis", "globalThis is handed on", node);
    }
    if (this.#isAnswered(kind, parent)) this.#values.escaped.add(path);
    const held = kind === "pair" || kind === "array" || kind === "object";
    if (!lost && !held) return;
    const tested = kind === "unary_expression" ||
      (kind === "binary_expression");
    if (tested) return;
    if (evaluators.has(path) || this.#values.isRequirer(path)) {
      this.dynamic(path, `${path} is handed on, to be called later`, node);
    }
    if (
      path === "globalThis" && kind === "arguments" &&
      this.#isReflective(tree.parent(parent))
    ) {
      this.dynamic("globalThis", "globalThis is handed on", node);
    }
    this.#values.escaped.add(path);
  }

  #isReflective(call: number): boolean {
    const callee = pathsOf(this.#values.of(this.#checking.tree.first(call)));
    return callee.some((path) => reads.has(path) && path !== "Reflect.get");
  }

  /** A property is taken by its name. */
  property(node: number, object: Atoms, name: string): void {
    const { tree } = this.#checking;
    const parent = tree.parent(node);
    const kind = tree.kind(parent);
    const called = kind === "call_expression" && tree.first(parent) === node;
    const known = pathsOf(object).some((path) => !path.startsWith("Object"));
    if (inner.has(name) && !known) {
      const isPattern = tree.kind(node).endsWith("pattern");
      const again = name === "constructor" && kind === "member_expression" &&
        word(tree.textOf(tree.lastChild(parent))) === "constructor";
      if (
        called || isPattern || again ||
        !["constructor", "binding", "eval", "Function", "require"].includes(
          name,
        )
      ) {
        this.dynamic(name, `${name} leads to what runs code`, node);
      }
    }
    if (object.length === 0 && !this.#unknown.has(name)) {
      this.#unknown.set(name, node);
    }
  }

  /** A property is taken whose name is worked out. */
  computed(node: number, object: Atoms, key: Atoms, target: number): void {
    const { tree } = this.#checking;
    const isIndex = tree.kind(tree.lastChild(node)) === "number";
    if (isIndex) return;
    for (const path of pathsOf(object)) {
      if (
        /^(globalThis|process|module|Reflect|Deno|Bun|Function|require)$/.test(
          path,
        ) || this.#checking.rules.hasMembers(path)
      ) {
        this.dynamic(
          path,
          `a property of ${path} is read that is known at run time only`,
          node,
        );
      }
    }
    const literal =
      /^(array|object|string|template_string|number|regex|parenthesized_expression|arrow_function|true|false)$/
        .test(tree.kind(target));
    const text = key.some((atom) => atom[0] === "c");
    const isFunc = object.some((atom) => atom[0] === "f") ||
      object.includes("pObject.method");
    if ((literal && text) || (isFunc && text)) {
      this.dynamic(
        "property",
        "a property is read whose name is put together at run time",
        node,
      );
    }
  }

  /** Names that must not be used, taken from something unknown while what holds them is out of sight. */
  lostModules(): void {
    const { rules, findings, tree } = this.#checking;
    for (const module of this.#values.escaped) {
      if (module === "globalThis") continue;
      for (const name of rules.membersOf(module) ?? []) {
        const node = this.#unknown.get(name);
        if (node === undefined) continue;
        const path = rules.join(module, name);
        rules.reportDynamic(
          findings,
          path,
          `this may be ${path}, as ${module} is handed on`,
          tree.start(node),
        );
      }
    }
  }
}
