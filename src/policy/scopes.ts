import { type Atoms, nothing, union } from "./atoms.ts";
import type { SyntaxTree } from "./tree.ts";

/** Where names are bound. */
export interface Scope {
  /** The one around it. */
  readonly parent: Scope | undefined;
  /** Names of a class are not seen by functions inside. */
  readonly isClass: boolean;
  /** What each name is bound to: nodes, or values that are known. */
  readonly names: Map<string, (number | Atoms)[]>;
  /** Names that belong to another scope. */
  readonly elsewhere: Map<string, Scope>;
  /** Values that were worked out. */
  readonly known: Map<string, Atoms>;
}

/** Makes a scope. */
export function makeScope(parent?: Scope, isClass = false): Scope {
  return {
    parent,
    isClass,
    names: new Map(),
    elsewhere: new Map(),
    known: new Map(),
  };
}

/** Binds a name. */
export function bind(scope: Scope, name: string, source: number | Atoms): void {
  const home = scope.elsewhere.get(name) ?? scope;
  const sources = home.names.get(name);
  if (sources) sources.push(source);
  else home.names.set(name, [source]);
}

/** The scope that a name is bound in, seen from another one. */
export function homeOf(scope: Scope, name: string): Scope | undefined {
  const moved = scope.elsewhere.get(name);
  if (moved) return moved.names.has(name) ? moved : undefined;
  for (let one: Scope | undefined = scope; one; one = one.parent) {
    if ((one === scope || !one.isClass) && one.names.has(name)) return one;
  }
  return undefined;
}

/** How deep values are followed. */
const _depthMax = 300;

/** Works out what expressions of a tree may be. */
export abstract class Values {
  readonly #known: (Atoms | undefined)[] = [];
  #depth = 0;
  /** Modules whose whole value went where it is not followed. */
  readonly escaped = new Set<string>();

  constructor(
    /** The code. */
    readonly tree: SyntaxTree,
    /** The scope of each node. */
    readonly scopes: readonly Scope[],
  ) {}

  /** What a node may be. */
  of(node: number): Atoms {
    if (node < 0) return nothing;
    const known = this.#known[node];
    if (known) return known;
    // Something that refers to itself is what else it is.
    this.#known[node] = nothing;
    if (this.#depth >= _depthMax) return this.#known[node] = ["c"];
    this.#depth++;
    const atoms = this.compute(node);
    this.#depth--;
    return this.#known[node] = atoms;
  }

  /** What a name may be; undefined where it is not bound. */
  name(scope: Scope, name: string): Atoms | undefined {
    const home = homeOf(scope, name);
    if (!home) return undefined;
    const known = home.known.get(name);
    if (known) return known;
    home.known.set(name, nothing);
    const atoms = this.merge(
      home.names.get(name)!.map((source) =>
        typeof source === "number" ? this.of(source) : source
      ),
    );
    home.known.set(name, atoms);
    return atoms;
  }

  /** All of several; what is too much counts as having gone elsewhere. */
  merge(all: readonly Atoms[]): Atoms {
    return union(all, (path) => this.escaped.add(path));
  }

  /** The language's part of it. */
  protected abstract compute(node: number): Atoms;
}
