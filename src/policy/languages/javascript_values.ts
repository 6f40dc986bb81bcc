import {
  type Atoms,
  concat,
  nothing,
  pathAtom,
  pathsOf,
  textsOf,
} from "../atoms.ts";
import { homeOf, Values } from "../scopes.ts";
import type { SyntaxTree } from "../tree.ts";
import { isFunction, type ScriptNames } from "./javascript_bind.ts";
import { stringAtoms, unquoted, word } from "./javascript_text.ts";

/** Names of the global object. */
const _globals = new Set([
  "globalThis",
  "window",
  "self",
  "global",
  "frames",
  "top",
  "parent",
]);

/** Methods of texts and arrays that put a text together. */
const _texts = new Set(
  ("join concat replace replaceAll slice substring substr toLowerCase toUpperCase trim repeat padStart padEnd " +
    "toString reverse fromCharCode fromCodePoint at charAt decode normalize")
    .split(" "),
);

/** Methods that answer what is in an array. */
const _items = new Set([
  "at",
  "pop",
  "shift",
  "find",
  "slice",
  "concat",
  "filter",
  "flat",
  "values",
]);

/** Names of the module system that answer a module. */
const _requirers = new Set([
  "require",
  "module.require",
  "process.mainModule.require",
  "require.main.require",
  "process.getBuiltinModule",
  "process.binding",
  "process._linkedBinding",
  "module._load",
  "module.Module._load",
]);

interface _Table {
  readonly named: Map<string, number[]>;
  /** Those whose names are not known. */
  readonly open: number[];
  readonly all: number[];
}

/** What JavaScript and TypeScript expressions may be. */
export class ScriptValues extends Values {
  readonly #names: ScriptNames;
  readonly #moduleName: (name: string) => string;
  readonly #tables = new Map<number, _Table>();
  readonly #free = new Map<string, Atoms>();

  constructor(
    tree: SyntaxTree,
    names: ScriptNames,
    moduleName: (name: string) => string,
  ) {
    super(tree, names.scopes);
    this.#names = names;
    this.#moduleName = moduleName;
  }

  /** Whether a function answers the module whose name it is given. */
  isRequirer(path: string): boolean {
    return _requirers.has(path) || path.endsWith(".require");
  }

  protected compute(node: number): Atoms {
    const { tree } = this;
    const kind = tree.kind(node);
    switch (kind) {
      case "identifier":
      case "shorthand_property_identifier":
      case "shorthand_property_identifier_pattern":
        return this.#identifier(node);
      case "object_pattern":
      case "array_pattern":
        return this.#part(node);
      case "string":
        return stringAtoms(tree.textOf(node));
      case "template_string":
        return this.#template(node);
      case "binary_expression":
        return this.#binary(node);
      case "member_expression": {
        const name = word(tree.textOf(tree.lastChild(node)));
        return this.member(this.of(tree.first(node)), name);
      }
      case "subscript_expression":
        return this.items(
          this.of(tree.first(node)),
          this.of(tree.lastChild(node)),
        );
      case "call_expression":
        return this.#call(node);
      case "new_expression": {
        const callee = this.of(tree.first(node));
        return callee.includes("pProxy")
          ? this.of(this.argumentsOf(node)[0] ?? -1)
          : nothing;
      }
      case "ternary_expression": {
        const [, yes, no] = tree.children(node);
        return this.merge([this.of(yes ?? -1), this.of(no ?? -1)]);
      }
      case "sequence_expression":
      case "assignment_expression":
      case "augmented_assignment_expression":
      case "type_assertion":
      case "pair":
        return this.of(tree.lastChild(node));
      case "parenthesized_expression":
      case "await_expression":
      case "as_expression":
      case "satisfies_expression":
      case "non_null_expression":
      case "spread_element":
      case "template_substitution":
        return this.of(tree.first(node));
      case "instantiation_expression":
        return this.of(tree.first(node));
      case "object":
      case "array":
        return [`k${node}`];
      case "number":
      case "regex":
      case "true":
      case "false":
        return ["pObject"];
      case "class":
        return ["pObject.class"];
      default:
        return isFunction(kind) ? [`f${node}`] : nothing;
    }
  }

  #identifier(node: number): Atoms {
    const { tree } = this;
    const name = word(tree.textOf(node));
    if (this.#names.parts.has(node)) return this.#part(node);
    const scope = this.scopes[node]!;
    const bound = this.name(scope, name);
    if (!bound) return this.free(name);
    const implicit = this.#names.implicit.has(name) &&
      homeOf(scope, name) === this.#names.module;
    return implicit ? this.merge([bound, this.free(name)]) : bound;
  }

  /** What a part of a pattern is. */
  #part(node: number): Atoms {
    const part = this.#names.parts.get(node);
    if (!part) return nothing;
    const whole = this.of(part.whole);
    if (part.name === null) return whole;
    return typeof part.name === "string"
      ? this.member(whole, part.name)
      : this.items(whole, this.of(part.name ?? -1));
  }

  /** What a name is that nothing in the code binds. */
  free(name: string): Atoms {
    const known = this.#free.get(name);
    if (known) return known;
    const atoms = _globals.has(name)
      ? ["pglobalThis"]
      : name === "undefined"
      ? nothing
      : [`p${name}`];
    this.#free.set(name, atoms);
    return atoms;
  }

  /** The nodes that a function of the program may answer. */
  returnsOf(atom: string): readonly number[] {
    return this.#names.returns.get(Number(atom.slice(1))) ?? [];
  }

  /** What a property may be. */
  member(object: Atoms, name: string): Atoms {
    if (object.length === 0) return nothing;
    if (object.length === 1 && object[0]![0] === "p") {
      return this.#memberOf(object[0]!.slice(1), name);
    }
    const found: Atoms[] = [];
    for (const atom of object) {
      const rest = atom.slice(1);
      switch (atom[0]) {
        case "p":
          found.push(this.#memberOf(rest, name));
          break;
        case "k":
          found.push(this.#inside(Number(rest), name));
          break;
        case "f":
          if (name === "constructor") found.push(["pFunction"]);
          else if (["call", "apply", "bind", "__proto__"].includes(name)) {
            found.push([atom]);
          } else found.push(["pObject.method"]);
          break;
        default:
          found.push(
            name === "constructor" ? ["pFunction"] : ["pObject.method"],
          );
      }
    }
    return this.merge(found);
  }

  #memberOf(path: string, name: string): Atoms {
    if (path === "globalThis") return this.free(name);
    if (name === "constructor") {
      return [path === "module" ? "pmodule.Module" : "pFunction"];
    }
    if (name === "__proto__" || name === "default") return [`p${path}`];
    if (name === "then") this.escaped.add(path);
    if (path === "process" && name === "global") return ["pglobalThis"];
    const atom = pathAtom(`${path}.${name}`);
    return atom ? [atom] : nothing;
  }

  #inside(node: number, name: string | undefined): Atoms {
    const table = this.#tableOf(node);
    const own = name === undefined ? table.all : table.named.get(name);
    if (!own && table.open.length === 0) {
      return name === "constructor" ? ["pFunction"] : ["pObject.method"];
    }
    return this.merge(
      [...own ?? [], ...name === undefined ? [] : table.open].map((one) =>
        this.#valueOf(one)
      ),
    );
  }

  /** What a part of an object is; of a getter, what it answers. */
  #valueOf(part: number): Atoms {
    const { tree } = this;
    if (!isFunction(tree.kind(part))) return this.of(part);
    const isGetter = /^get\b/.test(tree.textOf(part));
    return isGetter
      ? this.merge(this.returnsOf(`f${part}`).map((one) => this.of(one)))
      : [`f${part}`];
  }

  /** The values in an object or array, by name. */
  #tableOf(node: number): _Table {
    const known = this.#tables.get(node);
    if (known) return known;
    const { tree } = this;
    const table: _Table = { named: new Map(), open: [], all: [] };
    for (const one of tree.children(node)) {
      const key = this.#keyOf(one);
      table.all.push(one);
      if (key === undefined) table.open.push(one);
      else table.named.set(key, [...table.named.get(key) ?? [], one].slice(-4));
    }
    this.#tables.set(node, table);
    return table;
  }

  /** The name that a part of an object has, where it is written there. */
  #keyOf(part: number): string | undefined {
    const { tree } = this;
    const kind = tree.kind(part);
    if (kind === "shorthand_property_identifier") {
      return word(tree.textOf(part));
    }
    if (kind !== "pair" && kind !== "method_definition") return undefined;
    const key = tree.first(part);
    const text = tree.textOf(key);
    if (tree.kind(key) === "string") return unquoted(text.slice(1, -1));
    return tree.kind(key) === "computed_property_name" ? undefined : word(text);
  }

  /** What is in something under a key that is worked out. */
  items(object: Atoms, key: Atoms): Atoms {
    const names = textsOf(key);
    const found: Atoms[] = names.map((name) => this.member(object, name));
    for (const atom of object) {
      if (atom[0] === "k") {
        found.push(this.#inside(Number(atom.slice(1)), undefined));
      } else if (names.length === 0 && (atom[0] === "t" || atom[0] === "c")) {
        found.push(["c"]);
      }
    }
    return this.merge(found);
  }

  /** The arguments of a call. */
  argumentsOf(call: number): number[] {
    const holder = this.tree.lastChild(call);
    return this.tree.kind(holder) === "arguments"
      ? this.tree.children(holder)
      : [];
  }

  #call(node: number): Atoms {
    const { tree } = this;
    const callee = tree.first(node);
    const list = this.argumentsOf(node);
    const argument = (n: number) => this.of(list[n] ?? -1);
    if (tree.kind(callee) === "import") return this.#modules(argument(0));
    const found: Atoms[] = [];
    for (const atom of this.of(callee)) {
      const path = atom.slice(1);
      if (atom[0] === "f") {
        for (const one of this.#names.returns.get(Number(path)) ?? []) {
          found.push(
            tree.kind(one) === "this" ? ["pglobalThis"] : this.of(one),
          );
        }
      }
      if (atom[0] !== "p") continue;
      if (this.isRequirer(path)) found.push(this.#modules(argument(0)));
      else if (
        path === "module.createRequire" ||
        path === "module.Module.createRequire"
      ) {
        found.push(["prequire"]);
      } else if (path === "Reflect.get") {
        found.push(this.items(argument(0), argument(1)));
      } else if (
        path === "Object.getPrototypeOf" || path === "Reflect.getPrototypeOf" ||
        path === "Object.freeze" || path === "Object.create" ||
        path === "Object.assign" || path === "structuredClone"
      ) {
        found.push(...list.map((one) => this.of(one)));
      } else if (path.endsWith(".bind")) found.push([`p${path.slice(0, -5)}`]);
      else if (
        path === "String.fromCharCode" || path === "String.fromCodePoint" ||
        path === "atob" || path === "decodeURIComponent" ||
        path === "unescape" || path === "String" || path === "String.raw"
      ) {
        found.push(["c"]);
      }
    }
    if (tree.kind(callee) === "member_expression") {
      const name = tree.textOf(tree.lastChild(callee));
      const object = this.of(tree.first(callee));
      if (_items.has(name) && object.some((atom) => atom[0] === "k")) {
        found.push(this.items(object, nothing));
      }
      const known = object.some((atom) =>
        atom[0] === "p" && !atom.startsWith("pObject")
      );
      if (_texts.has(name) && !known) found.push(["c"]);
    }
    return this.merge(
      found.map((atoms) => atoms.filter((atom) => atom !== "pObject.method")),
    );
  }

  #modules(names: Atoms): Atoms {
    return textsOf(names).map((name) => `p${this.#moduleName(name)}`);
  }

  #template(node: number): Atoms {
    const { tree } = this;
    const parts: Atoms[] = [];
    let any = false;
    for (const one of tree.children(node)) {
      if (tree.kind(one) === "template_substitution") {
        any = true;
        parts.push(this.of(one));
      } else parts.push([`t${unquoted(tree.textOf(one))}`]);
    }
    if (!any) return stringAtoms(tree.textOf(node));
    if (pathsOf(parts[0] ?? nothing).length > 0) parts[0] = nothing;
    return parts.length === 1 ? parts[0]! : parts.reduce(concat);
  }

  #binary(node: number): Atoms {
    const { tree } = this;
    const [left, right] = tree.children(node);
    if (left === undefined || right === undefined) return nothing;
    const sign = tree.text.slice(tree.end(left), tree.start(right)).trim();
    if (sign.startsWith("+")) return concat(this.of(left), this.of(right));
    if (/^(\|\||&&|\?\?)/.test(sign)) {
      return this.merge([this.of(left), this.of(right)]);
    }
    return nothing;
  }
}
