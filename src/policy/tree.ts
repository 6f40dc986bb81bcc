import type { Tree } from "web-tree-sitter";

/** What is known of a grammar. */
export interface Grammar {
  /** Names of the kinds of nodes, by number. */
  readonly names: readonly string[];
  /** Which of them are more than a word or sign. */
  readonly named: readonly boolean[];
  /** Which hold nothing that is looked at, though they have parts. */
  readonly closed: readonly boolean[];
}

const _errorId = 65_535;

/** Goes through a tree of the parser's, from the root. */
export interface Walker {
  /** The kind of the node that it is at, by number. */
  kind(): number;
  /** Where the node begins. */
  start(): number;
  /** Where the node ends. */
  end(): number;
  /** Goes to the first node below; answers whether there is one. */
  down(): boolean;
  /** Goes to the next node beside; answers whether there is one. */
  next(): boolean;
  /** Goes to the node above; answers whether there is one. */
  up(): boolean;
  /** Frees what it holds. */
  done(): void;
}

/**
 * A syntax tree, its named nodes numbered in the order in which they begin: what is in a node comes right after it, up to
 * its last. Reading the parser's tree once costs less than asking it node by node, and needs no recursion.
 */
export class SyntaxTree {
  /** The code. */
  readonly text: string;
  /** How many nodes there are. */
  readonly size: number;
  readonly #names: readonly string[];
  readonly #kinds: Uint16Array;
  readonly #starts: Uint32Array;
  readonly #ends: Uint32Array;
  readonly #parents: Int32Array;
  readonly #lasts: Int32Array;
  /** Where the first thing is that could not be parsed; -1 where all could be. */
  readonly errorAt: number;

  constructor(text: string, tree: Tree, grammar: Grammar, walker: Walker) {
    this.text = text;
    this.#names = grammar.names;
    const { named, closed } = grammar;
    let room = Math.max(64, text.length >> 2);
    let kinds = new Uint16Array(room);
    let starts = new Uint32Array(room);
    let ends = new Uint32Array(room);
    let parents = new Int32Array(room);
    let lasts = new Int32Array(room);
    const grow = <T extends Uint16Array | Uint32Array | Int32Array>(old: T) => {
      const wider = new (old.constructor as new (size: number) => T)(room);
      wider.set(old);
      return wider;
    };
    /** The nodes above, and -1 for each that has no number. */
    const above: number[] = [];
    let parent = -1;
    let size = 0;
    for (let going = true; going;) {
      const id = walker.kind();
      let own = -1;
      if (id === _errorId || named[id]) {
        if (size === room) {
          room *= 2;
          [kinds, starts, ends] = [grow(kinds), grow(starts), grow(ends)];
          [parents, lasts] = [grow(parents), grow(lasts)];
        }
        own = size++;
        kinds[own] = id;
        starts[own] = walker.start();
        ends[own] = walker.end();
        parents[own] = parent;
        lasts[own] = own;
      }
      if (!closed[id] && walker.down()) {
        above.push(own);
        if (own >= 0) parent = own;
        continue;
      }
      while (!walker.next()) {
        if (!walker.up()) {
          going = false;
          break;
        }
        const done = above.pop()!;
        if (done >= 0) {
          lasts[done] = size - 1;
          parent = parents[done]!;
        }
      }
    }
    walker.done();
    this.size = size;
    this.#kinds = kinds;
    this.#starts = starts;
    this.#ends = ends;
    this.#parents = parents;
    this.#lasts = lasts;
    this.errorAt = tree.rootNode.hasError ? _firstError(tree) : -1;
  }

  /** The kind of a node, as the grammar calls it. */
  kind(node: number): string {
    const id = this.#kinds[node];
    return id === _errorId ? "ERROR" : id === undefined ? "" : this.#names[id]!;
  }

  /** Where a node begins. */
  start(node: number): number {
    return this.#starts[node]!;
  }

  /** Where a node ends. */
  end(node: number): number {
    return this.#ends[node]!;
  }

  /** The node above; -1 for the root. */
  parent(node: number): number {
    return this.#parents[node]!;
  }

  /** The last node inside. */
  last(node: number): number {
    return this.#lasts[node]!;
  }

  /** The code of a node. */
  textOf(node: number): string {
    return this.text.slice(this.#starts[node], this.#ends[node]);
  }

  /** The first node right below; -1 where there is none. */
  first(node: number): number {
    return this.#lasts[node]! > node ? node + 1 : -1;
  }

  /** The next node below the same one; -1 where there is none. */
  next(node: number): number {
    const after = this.#lasts[node]! + 1;
    const parent = this.#parents[node]!;
    return parent >= 0 && after <= this.#lasts[parent]! ? after : -1;
  }

  /** The nodes right below, comments left out. */
  children(node: number): number[] {
    const found: number[] = [];
    for (let one = this.first(node); one >= 0; one = this.next(one)) {
      if (!this.#isTrivia(one)) found.push(one);
    }
    return found;
  }

  /** The `n`th of the nodes right below, comments left out; -1 where there is none. */
  child(node: number, n: number): number {
    for (let one = this.first(node); one >= 0; one = this.next(one)) {
      if (!this.#isTrivia(one) && n-- === 0) return one;
    }
    return -1;
  }

  /** The last of the nodes right below, comments left out; -1 where there is none. */
  lastChild(node: number): number {
    let found = -1;
    for (let one = this.first(node); one >= 0; one = this.next(one)) {
      if (!this.#isTrivia(one)) found = one;
    }
    return found;
  }

  #isTrivia(node: number): boolean {
    const kind = this.kind(node);
    return kind.endsWith("comment") || kind === "line_continuation";
  }
}

function _firstError(tree: Tree): number {
  const cursor = tree.walk();
  for (;;) {
    const node = cursor.currentNode;
    if (node.isError || node.isMissing || !cursor.gotoFirstChild()) {
      const at = node.startIndex;
      cursor.delete();
      return at;
    }
    while (!cursor.currentNode.hasError && !cursor.currentNode.isMissing) {
      if (cursor.gotoNextSibling()) continue;
      const at = node.startIndex;
      cursor.delete();
      return at;
    }
  }
}
