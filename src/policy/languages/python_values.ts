import {
  allTexts,
  type Atoms,
  concat,
  nothing,
  pathAtom,
  pathsOf,
  textsOf,
} from "../atoms.ts";
import type { Rules } from "../rules.ts";
import { homeOf, Values } from "../scopes.ts";
import type { SyntaxTree } from "../tree.ts";
import type { PythonNames } from "./python_bind.ts";
import { builtins, importers, readers } from "./python_names.ts";
import { formatPrefix, identifier, joined, literal } from "./python_text.ts";

/** Methods that put a text together. */
const _texts = new Set(
  ("join format format_map replace lower upper title swapcase casefold capitalize strip lstrip rstrip translate " +
    "decode encode removeprefix removesuffix zfill expandtabs hex fromhex b64decode b32decode b16decode unhexlify " +
    "decompress unquote").split(" "),
);

/** Names of modules that hold their names, as `vars()` of one does. */
const _table = "{}";

/** What Python expressions may be. */
export class PythonValues extends Values {
  readonly #names: PythonNames;
  readonly #rules: Rules;
  readonly #free = new Map<string, Atoms>();

  constructor(tree: SyntaxTree, names: PythonNames, rules: Rules) {
    super(tree, names.scopes);
    this.#names = names;
    this.#rules = rules;
  }

  protected compute(node: number): Atoms {
    const { tree } = this;
    switch (tree.kind(node)) {
      case "identifier":
        return this.#identifier(node);
      case "dotted_name": {
        const first = this.of(tree.first(node));
        const rest = tree.children(node).slice(1);
        return rest.reduce<Atoms>(
          (atoms, one) => this.member(atoms, identifier(tree.textOf(one))),
          first,
        );
      }
      case "attribute": {
        const object = this.of(tree.first(node));
        const name = identifier(tree.textOf(tree.lastChild(node)));
        return this.member(object, name);
      }
      case "call":
        return this.#call(node);
      case "subscript":
        return this.#subscript(node);
      case "string":
        return this.#string(node);
      case "concatenated_string":
        return joined(tree.children(node).map((one) => this.of(one)));
      case "binary_operator":
        return this.#operator(node);
      case "conditional_expression": {
        const [yes, , no] = tree.children(node);
        return this.merge([this.of(yes ?? -1), this.of(no ?? -1)]);
      }
      case "named_expression":
      case "assignment":
      case "pair":
      case "keyword_argument":
        return this.of(tree.lastChild(node));
      case "boolean_operator":
      case "list":
      case "tuple":
      case "set":
      case "dictionary":
      case "expression_list":
      case "pattern_list":
        return this.merge(tree.children(node).map((one) => this.of(one)));
      case "parenthesized_expression":
      case "await":
      case "list_splat":
      case "dictionary_splat":
      case "list_comprehension":
      case "set_comprehension":
      case "generator_expression":
      case "dictionary_comprehension":
      case "type":
      case "case_pattern":
      case "interpolation":
        return this.of(tree.first(node));
      case "lambda":
        return [`f${node}`];
      default:
        return nothing;
    }
  }

  /** The nodes that a function of the program may answer. */
  returnsOf(atom: string): readonly number[] {
    return this.#names.returns.get(Number(atom.slice(1))) ?? [];
  }

  /** What a later cell may know of this one's names. */
  boundNames(): Map<string, Atoms> {
    const bound = new Map<string, Atoms>();
    for (const name of this.#names.module.names.keys()) {
      const atoms = this.name(this.#names.module, name) ?? nothing;
      const known = atoms.filter((atom) => atom[0] !== "f");
      if (known.length > 0) bound.set(name, known);
    }
    return bound;
  }

  /** What an attribute may be. */
  member(object: Atoms, name: string): Atoms {
    if (object.length === 0) return nothing;
    if (object.length === 1) {
      const atom = object[0]!;
      const one = atom[0] === "p"
        ? this.#memberOf(atom.slice(1), name)
        : undefined;
      return one ? [one] : nothing;
    }
    const found: Atoms[] = [];
    for (const path of pathsOf(object)) {
      const atom = this.#memberOf(path, name);
      if (atom) found.push([atom]);
    }
    return found.length === 0 ? nothing : this.merge(found);
  }

  #memberOf(path: string, name: string): string | undefined {
    if (path.endsWith(_table)) {
      // A table of names: `.get` and the like are its own, a name in brackets is the module's.
      return undefined;
    }
    if (name === "__dict__") return pathAtom(path + _table);
    if (name === "__self__" || name === "__module__") {
      if (path.startsWith("builtins.")) return "pbuiltins";
      return undefined;
    }
    if (name === "__builtins__") return "pbuiltins";
    if (name === "__call__" || name === "__func__" || name === "__wrapped__") {
      return `p${path}`;
    }
    // A module that another one has imported is the same module.
    const plain = name.replace(/^_+/, "");
    if (plain !== "" && !path.startsWith("builtins.")) {
      if (this.#rules.roots.has(plain) || this.#isRoot(plain)) {
        return `p${plain}`;
      }
    }
    return pathAtom(`${path}.${name}`);
  }

  #isRoot(name: string): boolean {
    return name === "sys" || name === "builtins" || name === "importlib" ||
      this.#rules.hasMembers(name);
  }

  #identifier(node: number): Atoms {
    const name = identifier(this.tree.textOf(node));
    const scope = this.scopes[node]!;
    const bound = this.name(scope, name);
    if (!bound) return this.free(name);
    return this.maybeFree(node, name)
      ? this.merge([bound, this.free(name)])
      : bound;
  }

  /** What a name is that nothing in the code binds. */
  free(name: string): Atoms {
    const known = this.#free.get(name);
    if (known) return known;
    const atoms = name === "__builtins__"
      ? ["pbuiltins"]
      : builtins.has(name)
      ? [`pbuiltins.${name}`]
      : this.#rules.hasMembers(name) || this.#rules.roots.has(name)
      ? [`p${name}`]
      : nothing;
    this.#free.set(name, atoms);
    return atoms;
  }

  /** Whether a name that is bound somewhere may also be what it is without that. */
  maybeFree(node: number, name: string): boolean {
    const home = homeOf(this.scopes[node]!, name);
    if (!home) return true;
    if (this.free(name).length === 0) return false;
    if (home.isClass) return true;
    if (home !== this.#names.module) return false;
    return !((this.#names.certain.get(name) ?? Infinity) <= node);
  }

  /** Arguments of a call by position, and by name. */
  argumentsOf(call: number): { list: number[]; named: Map<string, number> } {
    const { tree } = this;
    const list: number[] = [];
    const named = new Map<string, number>();
    const holder = tree.lastChild(call);
    if (tree.kind(holder) !== "argument_list") return { list: [holder], named };
    for (const one of tree.children(holder)) {
      if (tree.kind(one) === "keyword_argument") {
        const name = identifier(tree.textOf(tree.first(one)));
        named.set(name, tree.lastChild(one));
      } else list.push(one);
    }
    return { list, named };
  }

  #call(node: number): Atoms {
    const { tree } = this;
    const callee = tree.first(node);
    const atoms = this.of(callee);
    const found: Atoms[] = [];
    const { list } = this.argumentsOf(node);
    const argument = (n: number) => this.of(list[n] ?? -1);
    for (const atom of atoms) {
      if (atom[0] === "f") {
        const returns = this.#names.returns.get(Number(atom.slice(1))) ?? [];
        found.push(...returns.map((one) => this.of(one)));
      }
      if (atom[0] !== "p") continue;
      const path = atom.slice(1);
      if (importers.has(path)) {
        const first = path.endsWith("__import__");
        found.push(
          textsOf(argument(0)).map((text) =>
            `p${first ? text.split(".")[0] : text.replace(":", ".")}`
          ),
        );
      } else if (readers.has(path)) {
        for (const name of textsOf(argument(1))) {
          found.push(
            name.split(".").reduce<Atoms>(
              (value, part) => this.member(value, part),
              argument(0),
            ),
          );
        }
        if (list.length > 2) found.push(argument(2));
      } else if (path === "builtins.vars") {
        found.push(pathsOf(argument(0)).map((one) => `p${one}${_table}`));
      } else if (
        path === "builtins.globals" || path === "builtins.locals"
      ) {
        found.push([`p${path.slice(9)}${_table}`]);
      } else if (path === "builtins.chr") {
        found.push(["c"]);
      } else if (
        path === "functools.partial" || path === "builtins.str" ||
        path === "functools.wraps" ||
        path === "builtins.staticmethod" || path === "builtins.next" ||
        path === "builtins.iter" || path === "builtins.list" ||
        path === "builtins.tuple" || path === "builtins.reversed" ||
        path === "importlib.reload"
      ) found.push(argument(0));
    }
    if (tree.kind(callee) === "attribute") {
      found.push(this.#method(callee, list));
    }
    return this.merge(found);
  }

  #method(callee: number, list: readonly number[]): Atoms {
    const { tree } = this;
    const name = tree.textOf(tree.lastChild(callee));
    const object = this.of(tree.first(callee));
    if (name === "get" || name === "__getitem__" || name === "pop") {
      return this.item(object, this.of(list[0] ?? -1));
    }
    if (name === "__getattribute__" || name === "__getattr__") {
      const names = textsOf(this.of(list.at(-1) ?? -1));
      const from = list.length > 1 ? this.of(list[0]!) : object;
      return this.merge(names.map((one) => this.member(from, one)));
    }
    if (name === "format" && object.length > 0) {
      return formatPrefix(object, /\{/);
    }
    return _texts.has(name) && pathsOf(object).length === 0 ? ["c"] : nothing;
  }

  /** What is in a table of names under a key. */
  item(object: Atoms, key: Atoms): Atoms {
    const names = textsOf(key);
    const found: Atoms[] = [];
    for (const path of pathsOf(object)) {
      for (const name of names) {
        if (path === "sys.modules") found.push([`p${name}`]);
        else if (path === `globals${_table}` || path === `locals${_table}`) {
          found.push(this.name(this.#names.module, name) ?? this.free(name));
        } else if (path === "builtins") found.push([`pbuiltins.${name}`]);
        else if (path.endsWith(_table)) {
          const atom = this.#memberOf(path.slice(0, -_table.length), name);
          if (atom) found.push([atom]);
        }
      }
    }
    return this.merge(found);
  }

  #subscript(node: number): Atoms {
    const { tree } = this;
    const object = this.of(tree.first(node));
    const key = this.of(tree.child(node, 1));
    const item = this.item(object, key);
    if (item.length > 0) return item;
    if (object.some((atom) => atom[0] === "t" || atom[0] === "c")) {
      // Of texts in a list one is taken; of a text alone a part.
      const whole = tree.kind(tree.child(node, 1)) !== "slice";
      const literal = ["list", "tuple", "dictionary"].includes(
        tree.kind(tree.first(node)),
      );
      return whole && (literal || !allTexts(object) || object.length > 1)
        ? object
        : ["c"];
    }
    return object.filter((atom) =>
      !atom.endsWith(_table) && atom !== "psys.modules"
    );
  }

  #string(node: number): Atoms {
    const { tree } = this;
    const parts: Atoms[] = [];
    let from = -1;
    for (let one = tree.first(node); one >= 0; one = tree.next(one)) {
      const kind = tree.kind(one);
      if (kind === "interpolation") {
        parts.push(
          tree.last(one) > tree.first(one) && tree.children(one).length > 1
            ? ["c"]
            : this.of(one),
        );
        from = -2;
      } else if (kind === "string_content" && from === -2) {
        parts.push(literal(`'''${tree.textOf(one)}'''`));
      } else if (kind === "string_content") {
        if (tree.next(one) >= 0 && tree.kind(tree.next(one)) !== "string_end") {
          parts.push(literal(`'''${tree.textOf(one)}'''`));
        }
      }
    }
    return from === -2 ? joined(parts) : literal(tree.textOf(node));
  }

  #operator(node: number): Atoms {
    const { tree } = this;
    const [left, right] = tree.children(node);
    if (left === undefined || right === undefined) return nothing;
    const sign = tree.text.slice(tree.end(left), tree.start(right)).trim();
    const value = this.of(left);
    if (sign.startsWith("+")) return concat(value, this.of(right));
    if (sign.startsWith("%")) return formatPrefix(value, /%/);
    const isText = value.some((atom) => atom[0] === "t" || atom[0] === "c");
    return sign.startsWith("*") && isText ? ["c"] : nothing;
  }
}

/** Whether a name from outside is a table of names, whose keys are names. */
export function isTable(path: string): boolean {
  return path.endsWith(_table) || path === "sys.modules" || path === "builtins";
}
