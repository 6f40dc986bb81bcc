import { type Atoms, nothing } from "../atoms.ts";
import { bind, makeScope, type Scope } from "../scopes.ts";
import type { SyntaxTree } from "../tree.ts";
import { identifier } from "./python_text.ts";

/** An import statement's part: what is imported, and what of it. */
export interface Imported {
  /** The module, as it is named. */
  readonly module: string;
  /** The name taken from it; "*" is all; undefined where it is the module itself. */
  readonly member?: string;
  /** Where it stands. */
  readonly node: number;
}

/** Names bound in Python code. */
export interface PythonNames {
  /** The scope of each node. */
  readonly scopes: readonly Scope[];
  /** Every import. */
  readonly imports: readonly Imported[];
  /** The scope of the module. */
  readonly module: Scope;
  /** What each function, by its node, may return. */
  readonly returns: ReadonlyMap<number, number[]>;
  /** From which node on a name of the module is bound for certain. */
  readonly certain: ReadonlyMap<string, number>;
}

/** Deeper scopes count as those around them. */
const _deepest = 100;

/** Finds what binds which name where. */
export function bindPython(
  tree: SyntaxTree,
  bound: Iterable<readonly [string, Atoms]>,
): PythonNames {
  const module = makeScope();
  for (const [name, atoms] of bound) bind(module, name, atoms);
  const scopes: Scope[] = new Array(tree.size);
  const depths = new Map<Scope, number>([[module, 0]]);
  const imports: Imported[] = [];
  const returns = new Map<number, number[]>();
  const functions: number[] = new Array(tree.size);
  const outside = new Set<number>();
  const comprehensions = new Set<Scope>();
  const certain = new Map<string, number>();
  const deleted = new Set<string>();
  const name = (node: number) => identifier(tree.textOf(node));
  const pathOf = (node: number) => dotted(tree, node);

  const targets = (node: number, scope: Scope, source: number | Atoms) => {
    // Nested targets are taken apart without recursion.
    for (let at = node; at <= tree.last(node); at++) {
      const kind = tree.kind(at);
      if (kind === "identifier") bind(scope, name(at), source);
      else if (
        kind === "attribute" || kind === "subscript" || kind === "call"
      ) {
        at = tree.last(at);
      }
    }
  };

  /** A name that only some ways through the module bind is also what it is without. */
  const alwaysBound = (name: string, node: number) => {
    const parent = tree.parent(node);
    const above = tree.kind(parent) === "decorated_definition" ||
        tree.kind(parent) === "expression_statement"
      ? tree.parent(parent)
      : parent;
    if (above === 0 && !certain.has(name)) certain.set(name, node);
  };

  for (let node = 0; node < tree.size; node++) {
    const parent = tree.parent(node);
    let scope = parent < 0 ? module : scopes[parent]!;
    if (outside.has(node) && scope.parent) scope = scope.parent;
    scopes[node] = scope;
    functions[node] = parent < 0 ? -1 : functions[parent]!;
    switch (tree.kind(node)) {
      case "function_definition":
      case "class_definition":
      case "lambda": {
        const kind = tree.kind(node);
        const isClass = kind === "class_definition";
        if (kind !== "lambda") {
          const own = name(tree.first(node));
          bind(scope, own, isClass ? nothing : [`f${node}`]);
          alwaysBound(own, node);
        }
        const depth = (depths.get(scope) ?? 0) + 1;
        if (depth < _deepest) {
          const own = makeScope(scope, isClass);
          depths.set(own, depth);
          scopes[node] = own;
        }
        if (!isClass) {
          functions[node] = node;
          returns.set(node, kind === "lambda" ? [tree.lastChild(node)] : []);
        }
        break;
      }
      case "list_comprehension":
      case "set_comprehension":
      case "dictionary_comprehension":
      case "generator_expression": {
        const depth = (depths.get(scope) ?? 0) + 1;
        if (depth >= _deepest) break;
        const own = makeScope(scope);
        depths.set(own, depth);
        comprehensions.add(own);
        scopes[node] = own;
        // The first thing that is gone through is worked out outside.
        for (const one of tree.children(node)) {
          if (tree.kind(one) !== "for_in_clause") continue;
          outside.add(tree.lastChild(one));
          break;
        }
        break;
      }
      case "parameters":
      case "lambda_parameters":
        for (const one of tree.children(node)) {
          const first = tree.kind(one) === "identifier" ? one : tree.first(one);
          if (first < 0) continue;
          const hasDefault = tree.kind(one).endsWith("default_parameter");
          const value = hasDefault ? tree.lastChild(one) : -1;
          targets(first, scope, nothing);
          if (value >= 0) {
            targets(first, scope, value);
            // Defaults are worked out where the function is defined.
            if (scope.parent) outside.add(value);
          }
        }
        break;
      case "return_statement":
      case "yield":
        if (functions[node]! >= 0 && tree.first(node) >= 0) {
          returns.get(functions[node]!)?.push(tree.lastChild(node));
        }
        break;
      case "import_statement":
        for (const one of tree.children(node)) {
          const aliased = tree.kind(one) === "aliased_import";
          const path = pathOf(aliased ? tree.first(one) : one);
          if (path === "") continue;
          imports.push({ module: path, node: one });
          const root = path.split(".")[0]!;
          const own = aliased ? name(tree.lastChild(one)) : root;
          bind(scope, own, [`p${aliased ? path : root}`]);
          alwaysBound(own, node);
        }
        break;
      case "import_from_statement": {
        const [from, ...members] = tree.children(node);
        if (from === undefined) break;
        const base = tree.kind(from) === "relative_import"
          ? tree.textOf(from).replace(/\s/g, "")
          : pathOf(from);
        if (members.length === 0) imports.push({ module: base, node: from });
        for (const one of members) {
          if (tree.kind(one) === "wildcard_import") {
            imports.push({ module: base, member: "*", node: one });
            continue;
          }
          const aliased = tree.kind(one) === "aliased_import";
          const member = pathOf(aliased ? tree.first(one) : one);
          if (member === "") continue;
          imports.push({ module: base, member, node: one });
          const own = aliased ? name(tree.lastChild(one)) : member;
          bind(scope, own, [`p${base}.${member}`]);
          alwaysBound(own, node);
        }
        break;
      }
      case "assignment": {
        const left = tree.first(node);
        const right = tree.lastChild(node);
        const typed = tree.kind(right) === "type";
        if (typed || right === left) break;
        targets(left, scope, right);
        if (tree.kind(left) === "identifier") alwaysBound(name(left), node);
        break;
      }
      case "augmented_assignment":
        targets(tree.first(node), scope, ["c"]);
        break;
      case "named_expression": {
        let home = scope;
        while (comprehensions.has(home)) home = home.parent!;
        bind(home, name(tree.first(node)), tree.lastChild(node));
        break;
      }
      case "delete_statement":
        for (let at = node; at <= tree.last(node); at++) {
          if (tree.kind(at) === "identifier") deleted.add(name(at));
        }
        break;
      case "for_statement":
      case "for_in_clause": {
        const [left, right] = tree.children(node);
        if (left === undefined || right === undefined) break;
        targets(left, scope, right);
        break;
      }
      case "as_pattern": {
        const target = tree.lastChild(node);
        if (tree.kind(target) === "as_pattern_target") {
          targets(target, scope, tree.first(node));
        } else targets(target, scope, nothing);
        break;
      }
      case "case_pattern":
        targets(node, scope, nothing);
        break;
      case "global_statement":
      case "nonlocal_statement": {
        const isGlobal = tree.kind(node) === "global_statement";
        for (const one of tree.children(node)) {
          let home = isGlobal ? module : scope.parent ?? module;
          while (!isGlobal && home.parent && !home.names.has(name(one))) {
            home = home.parent;
          }
          if (home !== scope) scope.elsewhere.set(name(one), home);
        }
        break;
      }
    }
  }
  for (const one of deleted) certain.delete(one);
  return { scopes, imports, module, returns, certain };
}

/** A dotted name as Python compares it. */
export function dotted(tree: SyntaxTree, node: number): string {
  if (tree.kind(node) === "identifier") return identifier(tree.textOf(node));
  const parts: string[] = [];
  for (const one of tree.children(node)) {
    if (tree.kind(one) === "identifier") {
      parts.push(identifier(tree.textOf(one)));
    }
  }
  return parts.join(".");
}
