import { type Atoms, nothing } from "../atoms.ts";
import { bind, makeScope, type Scope } from "../scopes.ts";
import type { SyntaxTree } from "../tree.ts";
import { unquoted, word } from "./javascript_text.ts";

/** Something imported by a statement. */
export interface ImportedScript {
  /** The module, as it is written. */
  readonly module: string;
  /** The name taken from it, where it is not the whole. */
  readonly member?: string;
  /** Where it stands. */
  readonly node: number;
}

/** How a name in a pattern is taken from what is around it. */
export interface Part {
  /** What it is taken from. */
  readonly whole: number;
  /** By which name: a node works it out; undefined is any; null is all of them. */
  readonly name: string | number | undefined | null;
}

/** Names bound in JavaScript or TypeScript code. */
export interface ScriptNames {
  /** The scope of each node. */
  readonly scopes: readonly Scope[];
  /** The scope of the whole. */
  readonly module: Scope;
  /** Names that are assigned and never declared, so that they are the host's too. */
  readonly implicit: ReadonlySet<string>;
  /** Every import by a statement. */
  readonly imports: readonly ImportedScript[];
  /** What each function, by its node, may return. */
  readonly returns: ReadonlyMap<number, readonly number[]>;
  /** By the node of a name in a pattern: what is taken apart, and the name of the part. */
  readonly parts: ReadonlyMap<number, Part>;
}

const _functions = new Set([
  "function_declaration",
  "function_expression",
  "generator_function",
  "generator_function_declaration",
  "arrow_function",
  "method_definition",
]);

const _blocks = new Set([
  "statement_block",
  "for_statement",
  "for_in_statement",
  "catch_clause",
  "switch_body",
  "class_body",
  "class_static_block",
]);

const _deepest = 100;

/** Whether a node is a function. */
export function isFunction(kind: string): boolean {
  return _functions.has(kind);
}

/** Finds what binds which name where. `moduleName` makes the path of a module. */
export function bindScript(
  tree: SyntaxTree,
  bound: Iterable<readonly [string, Atoms]>,
  moduleName: (name: string) => string,
): ScriptNames {
  const module = makeScope();
  for (const [name, atoms] of bound) bind(module, name, atoms);
  const scopes: Scope[] = new Array(tree.size);
  const homes: Scope[] = new Array(tree.size);
  const functions = new Int32Array(tree.size).fill(-1);
  const depths = new Map<Scope, number>([[module, 0]]);
  const implicit = new Set<string>();
  const imports: ImportedScript[] = [];
  const returns = new Map<number, number[]>();
  const parts = new Map<number, Part>();
  const defaults = new Set<number>();
  const text = (node: number) => word(tree.textOf(node));

  const key = (node: number): string | number | undefined => {
    const kind = tree.kind(node);
    if (kind === "string") return unquoted(tree.textOf(node).slice(1, -1));
    if (kind === "computed_property_name") return tree.first(node);
    return text(node);
  };

  /** How the part at a place in a pattern is taken from what is around it. */
  const partOf = (at: number, top: number, source: number): Part => {
    let name: Part["name"];
    for (
      let below = at, one = tree.parent(at);;
      below = one, one = tree.parent(one)
    ) {
      const kind = tree.kind(one);
      if (kind === "pair_pattern") name = key(tree.first(one));
      else if (kind === "rest_pattern") name = null;
      else if (kind === "object_pattern" || kind === "array_pattern") {
        if (
          tree.kind(below).startsWith("shorthand") ||
          tree.kind(below) === "object_assignment_pattern"
        ) {
          name = text(
            tree.kind(below) === "object_assignment_pattern"
              ? tree.first(below)
              : below,
          );
        }
        return { whole: one === top ? source : one, name };
      }
      if (one < top) return { whole: source, name: null };
    }
  };

  /** Binds every name in a pattern; those of parts know what they are taken from. */
  const targets = (
    node: number,
    scope: Scope,
    source: number | Atoms,
    each = false,
  ) => {
    const given = typeof source === "number" ? source : -1;
    // Of what is gone through, every one is taken apart.
    const apart = each && tree.kind(node).endsWith("_pattern");
    if (apart) parts.set(node, { whole: given, name: undefined });
    const whole = apart ? node : given;
    const end = tree.last(node);
    for (let at = node; at <= end; at++) {
      const kind = tree.kind(at);
      if (
        kind === "identifier" ||
        kind === "shorthand_property_identifier_pattern"
      ) {
        if (at === node && !each) bind(scope, text(at), source);
        else {
          parts.set(
            at,
            at === node ? { whole, name: undefined } : partOf(at, node, whole),
          );
          bind(scope, text(at), at);
        }
      } else if (kind === "object_pattern" || kind === "array_pattern") {
        if (at !== node) parts.set(at, partOf(at, node, whole));
      } else if (
        kind === "computed_property_name" || kind === "member_expression" ||
        kind === "subscript_expression" || kind === "type_annotation"
      ) at = tree.last(at);
      else if (
        kind === "assignment_pattern" || kind === "object_assignment_pattern"
      ) {
        const left = tree.first(at);
        if (
          tree.last(left) === left && tree.kind(left).includes("identifier")
        ) {
          bind(scope, text(left), tree.lastChild(at));
          // The default is an expression, no pattern.
          defaults.add(tree.lastChild(at));
        }
      }
      if (defaults.has(at)) at = tree.last(at);
    }
  };

  for (let node = 0; node < tree.size; node++) {
    const parent = tree.parent(node);
    const kind = tree.kind(node);
    const outer = parent < 0 ? module : scopes[parent]!;
    scopes[node] = outer;
    homes[node] = parent < 0 ? module : homes[parent]!;
    functions[node] = parent < 0 ? -1 : functions[parent]!;
    const isFunc = _functions.has(kind);
    if (isFunc || _blocks.has(kind)) {
      if (kind.endsWith("declaration")) {
        bind(outer, text(tree.first(node)), [`f${node}`]);
      }
      const depth = (depths.get(outer) ?? 0) + 1;
      if (depth < _deepest) {
        const own = makeScope(outer);
        depths.set(own, depth);
        scopes[node] = own;
        if (isFunc) homes[node] = own;
      }
      if (isFunc) {
        functions[node] = node;
        const body = tree.lastChild(node);
        returns.set(node, tree.kind(body) === "statement_block" ? [] : [body]);
        const first = tree.first(node);
        if (
          kind.startsWith("function_expression") &&
          tree.kind(first) === "identifier"
        ) {
          bind(scopes[node]!, text(first), [`f${node}`]);
        }
        if (
          kind === "arrow_function" && tree.kind(first) === "identifier" &&
          first !== body
        ) {
          bind(scopes[node]!, text(first), nothing);
        }
      }
    }
    const scope = scopes[node]!;
    switch (kind) {
      case "formal_parameters":
        for (const one of tree.children(node)) {
          const pattern = tree.kind(one).endsWith("_parameter")
            ? tree.children(one).find((part) =>
              !/modifier|decorator/.test(tree.kind(part))
            )
            : one;
          if (pattern === undefined) continue;
          targets(pattern, scope, nothing);
          const value = tree.lastChild(one);
          if (
            tree.kind(one).endsWith("_parameter") && value !== pattern &&
            tree.kind(pattern) === "identifier" &&
            tree.kind(value) !== "type_annotation"
          ) {
            bind(scope, text(pattern), value);
          }
        }
        break;
      case "class_declaration":
      case "abstract_class_declaration":
      case "enum_declaration":
        for (const one of tree.children(node)) {
          if (tree.kind(one).endsWith("identifier")) {
            bind(outer, text(one), nothing);
            break;
          }
        }
        break;
      case "catch_clause": {
        const first = tree.first(node);
        if (first >= 0 && tree.kind(first) !== "statement_block") {
          targets(first, scope, nothing);
        }
        break;
      }
      case "return_statement":
      case "yield_expression":
        if (functions[node]! >= 0 && tree.first(node) >= 0) {
          returns.get(functions[node]!)?.push(tree.first(node));
        }
        break;
      case "variable_declarator": {
        const [left, ...rest] = tree.children(node);
        if (left === undefined) break;
        const value = rest.findLast((one) =>
          tree.kind(one) !== "type_annotation"
        );
        const above = tree.parent(node);
        const isVar = tree.kind(above) === "variable_declaration";
        const home = isVar ? homes[node]! : scope;
        // What `var` declares without a value at the top is what it was before.
        if (isVar && value === undefined && home === module) break;
        targets(left, home, value ?? nothing);
        break;
      }
      case "for_in_statement": {
        const [left, right] = tree.children(node);
        if (
          left !== undefined && right !== undefined &&
          /^for\s*(await\s*)?\(\s*(var|let|const|using)\b/.test(
            tree.text.slice(tree.start(node), tree.start(node) + 60),
          )
        ) {
          targets(left, scope, right, true);
        } else if (left !== undefined && right !== undefined) {
          assigned(left, scope, right);
        }
        break;
      }
      case "assignment_expression":
      case "augmented_assignment_expression": {
        const left = tree.first(node);
        assigned(left, scope, tree.lastChild(node));
        break;
      }
      case "import_statement":
        importStatement(node);
        break;
      case "export_statement": {
        const source = tree.children(node).find((one) =>
          tree.kind(one) === "string"
        );
        if (source === undefined) break;
        const from = unquoted(tree.textOf(source).slice(1, -1));
        imports.push({ module: from, node: source });
        for (const one of tree.children(node)) {
          if (tree.kind(one) !== "export_clause") continue;
          for (const part of tree.children(one)) {
            if (tree.first(part) < 0) continue;
            imports.push({
              module: from,
              member: String(key(tree.first(part))),
              node: part,
            });
          }
        }
        break;
      }
    }
  }

  /** An assignment changes a name where that is bound; one that nothing binds is the whole's. */
  function assigned(left: number, scope: Scope, source: number): void {
    if (tree.kind(left) === "identifier") {
      const name = text(left);
      let home: Scope | undefined = scope;
      while (home && !home.names.has(name)) home = home.parent;
      if (!home) implicit.add(name);
      bind(home ?? module, name, source);
    } else if (tree.kind(left).endsWith("pattern")) {
      targets(left, scope, source);
    }
  }

  function importStatement(node: number): void {
    const children = tree.children(node);
    const source = children.find((one) => tree.kind(one) === "string");
    const required = children.find((one) =>
      tree.kind(one) === "import_require_clause"
    );
    if (required !== undefined) {
      const from = tree.lastChild(required);
      const name = unquoted(tree.textOf(from).slice(1, -1));
      imports.push({ module: name, node: from });
      bind(module, text(tree.first(required)), [`p${moduleName(name)}`]);
      return;
    }
    if (source === undefined) return;
    const from = unquoted(tree.textOf(source).slice(1, -1));
    const path = moduleName(from);
    imports.push({ module: from, node: source });
    const clause = children.find((one) => tree.kind(one) === "import_clause");
    for (const one of clause === undefined ? [] : tree.children(clause)) {
      const kind = tree.kind(one);
      if (kind === "identifier") bind(module, text(one), [`p${path}`]);
      else if (kind === "namespace_import") {
        bind(module, text(tree.first(one)), [`p${path}`]);
      } else {
        for (const part of tree.children(one)) {
          const [name, alias] = tree.children(part);
          if (name === undefined) continue;
          const isDefault = /^(type\s+)?default\b/.test(tree.textOf(part));
          const member = String(key(name));
          if (!isDefault) imports.push({ module: from, member, node: part });
          bind(module, text(alias ?? name), [
            isDefault ? `p${path}` : `p${path}.${member}`,
          ]);
        }
      }
    }
  }

  return { scopes, module, implicit, imports, returns, parts };
}
