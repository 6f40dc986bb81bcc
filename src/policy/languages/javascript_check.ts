import { allTexts, type Atoms, pathsOf, textsOf } from "../atoms.ts";
import { scanErrors } from "../scan_errors.ts";
import { homeOf } from "../scopes.ts";
import type { Bound, Checking } from "./language.ts";
import { bindScript, type ScriptNames } from "./javascript_bind.ts";
import { word } from "./javascript_text.ts";
import { ScriptUses } from "./javascript_uses.ts";
import { answers, evaluators, opaque, timers } from "./javascript_names.ts";
import { ScriptValues } from "./javascript_values.ts";

/** Checks JavaScript or TypeScript. */
export function checkScript(
  checking: Checking,
  moduleName: (name: string) => string,
): Bound {
  return new _Script(checking, moduleName).run();
}

class _Script {
  readonly #uses: ScriptUses;
  readonly #checking: Checking;

  readonly #names: ScriptNames;

  readonly #values: ScriptValues;

  readonly #moduleName: (name: string) => string;

  constructor(checking: Checking, moduleName: (name: string) => string) {
    this.#checking = checking;
    this.#moduleName = moduleName;
    this.#names = bindScript(checking.tree, checking.bound, moduleName);
    this.#values = new ScriptValues(checking.tree, this.#names, moduleName);
    this.#uses = new ScriptUses(checking, this.#values);
  }

  run(): Bound {
    const { tree, rules, findings } = this.#checking;
    scanErrors(this.#checking, word);
    for (const { module, member, node } of this.#names.imports) {
      this.#uses.module(module, node);
      const path = this.#moduleName(module);
      rules.reportCall(
        findings,
        member === undefined ? path : `${path}.${member}`,
        tree.start(node),
      );
      const why = opaque.get(path);
      if (why) this.#uses.dynamic(path, `${path} ${why}`, node);
    }
    for (let node = tree.size - 1; node >= 0; node--) this.#visit(node);
    this.#uses.lostModules();
    const bound: Bound = new Map();
    for (const name of this.#names.module.names.keys()) {
      const atoms = this.#values.name(this.#names.module, name) ?? [];
      const known = atoms.filter((atom) => "ptc".includes(atom[0]!));
      if (known.length > 0) bound.set(name, known);
    }
    return bound;
  }

  #visit(node: number): void {
    const { tree } = this.#checking;
    switch (tree.kind(node)) {
      case "identifier":
      case "shorthand_property_identifier":
        this.#identifier(node);
        break;
      case "shorthand_property_identifier_pattern":
        this.#uses.reference(node, this.#values.of(node));
        this.#uses.property(node, this.#wholeOf(node), word(tree.textOf(node)));
        break;
      case "pair_pattern":
        this.#pairPattern(node);
        break;
      case "member_expression":
        this.#uses.reference(node, this.#values.of(node));
        this.#uses.property(
          node,
          this.#values.of(tree.first(node)),
          word(tree.textOf(tree.lastChild(node))),
        );
        break;
      case "subscript_expression":
        this.#subscript(node);
        break;
      case "call_expression":
      case "new_expression":
        this.#call(node);
        break;
      case "with_statement":
        this.#uses.dynamic("with", "with hides what names mean", node);
        break;
      case "html_comment":
        this.#uses.dynamic(
          "comment",
          "whether this is a comment depends on how the code is run",
          node,
        );
        break;
    }
  }

  /** A property is taken by a pattern. */
  #pairPattern(node: number): void {
    const { tree } = this.#checking;
    const values = this.#values;
    const key = tree.first(node);
    const target = this.#targetOf(node);
    const whole = target >= 0 ? this.#wholeOf(target) : [];
    if (target >= 0) this.#uses.reference(target, values.of(target));
    const computed = tree.kind(key) === "computed_property_name";
    const names = computed
      ? values.of(tree.first(key))
      : [`t${word(tree.textOf(key)).replace(/^['"]|['"]$/g, "")}`];
    for (const name of textsOf(names)) this.#uses.property(node, whole, name);
    if (computed && !allTexts(names)) {
      this.#uses.computed(key, whole, names, key);
    }
  }

  #targetOf(pair: number): number {
    const { tree } = this.#checking;
    const value = tree.lastChild(pair);
    const target = tree.kind(value) === "assignment_pattern"
      ? tree.first(value)
      : value;
    return /^(identifier|object_pattern|array_pattern)$/.test(tree.kind(target))
      ? target
      : -1;
  }

  #wholeOf(node: number): Atoms {
    const part = this.#names.parts.get(node);
    return part ? this.#values.of(part.whole) : [];
  }

  #identifier(node: number): void {
    const { tree } = this.#checking;
    const parent = tree.parent(node);
    const kind = tree.kind(parent);
    const first = tree.first(parent) === node;
    if (this.#names.parts.has(node)) return;
    if (
      first &&
      /^(variable_declarator|function_|generator_|class|import_|assignment_pattern|object_assignment|required_parameter|optional_parameter|arrow_function|catch_clause|labeled)/
        .test(kind)
    ) {
      if (kind !== "arrow_function" || tree.lastChild(parent) !== node) return;
    }
    if (
      /^(formal_parameters|import_specifier|namespace_import|import_clause|rest_pattern|array_pattern|jsx_)/
        .test(kind)
    ) return;
    const name = word(tree.textOf(node));
    const home = homeOf(this.#values.scopes[node]!, name);
    const said = home !== undefined && !this.#names.implicit.has(name) &&
      !(home === this.#names.module && this.#checking.bound.has(name));
    this.#uses.reference(node, this.#values.of(node), said);
  }

  #subscript(node: number): void {
    const { tree } = this.#checking;
    const values = this.#values;
    const object = values.of(tree.first(node));
    const key = values.of(tree.lastChild(node));
    this.#uses.reference(node, values.of(node));
    for (const name of textsOf(key)) this.#uses.property(node, object, name);
    if (allTexts(key)) return;
    this.#uses.computed(node, object, key, tree.first(node));
  }

  #call(node: number): void {
    const { tree, nested } = this.#checking;
    const values = this.#values;
    const callee = tree.first(node);
    const list = values.argumentsOf(node);
    this.#uses.reference(node, values.of(node));
    if (tree.kind(callee) === "import") {
      this.#loads("import", list[0] ?? -1, node);
      return;
    }
    const atoms = values.of(callee);
    for (const path of pathsOf(atoms)) {
      if (values.isRequirer(path)) this.#loads(path, list[0] ?? -1, node);
      if (evaluators.has(path)) this.#evaluates(path, list, node);
      if (timers.has(path) && list.length > 0) {
        const first = values.of(list[0]!);
        for (const code of textsOf(first)) nested(code, list[0]!);
        if (first.some((atom) => atom[0] === "c")) {
          this.#uses.dynamic(
            path,
            `${path} runs code that is put together at run time`,
            node,
          );
        }
      }
      if (
        path === "Reflect.get" || path === "Object.getOwnPropertyDescriptor" ||
        path === "Reflect.getOwnPropertyDescriptor"
      ) {
        const key = values.of(list[1] ?? -1);
        const object = values.of(list[0] ?? -1);
        for (const name of textsOf(key)) {
          this.#uses.reference(node, values.member(object, name));
          this.#uses.property(node, object, name);
        }
        if (!allTexts(key)) {
          this.#uses.computed(node, object, key, list[0] ?? -1);
        }
      }
    }
    const tag = tree.lastChild(node);
    if (
      tree.kind(tag) === "template_string" &&
      pathsOf(atoms).some((path) => evaluators.has(path))
    ) {
      this.#uses.dynamic("tag", "code runs through a template's tag", node);
    }
  }

  #loads(path: string, target: number, node: number): void {
    const atoms = this.#values.of(target);
    for (const name of textsOf(atoms)) {
      this.#uses.module(name, node);
      const why = opaque.get(this.#moduleName(name));
      if (why) this.#uses.dynamic(name, `${name} ${why}`, node);
    }
    if (!allTexts(atoms)) {
      this.#uses.dynamic(
        path,
        `${path} gets the name of its module at run time`,
        node,
      );
    }
  }

  #evaluates(path: string, list: readonly number[], node: number): void {
    const { nested, tree } = this.#checking;
    const values = this.#values;
    if (list.length === 0) return;
    for (const one of list) {
      if (tree.kind(one) === "spread_element") {
        this.#uses.dynamic(
          path,
          `${path} runs code that is put together at run time`,
          node,
        );
        return;
      }
    }
    // The last argument of Function is its body, the only one of eval its code.
    const code = path === "eval" ? list[0]! : list.at(-1)!;
    for (const one of list) {
      const atoms = values.of(one);
      if (one === code) {
        for (const text of textsOf(atoms)) {
          nested(path === "Function" ? `(function(){${text}\n})` : text, one);
          if (path === "Function" && answers.test(text)) {
            this.#uses.dynamic(
              path,
              `${path} answers what leads to everything`,
              node,
            );
          }
        }
      }
      if (!allTexts(atoms)) {
        this.#uses.dynamic(
          path,
          `${path} runs code that is put together at run time`,
          node,
        );
        return;
      }
    }
  }
}
