import type { Language, Parser, Query, Tree } from "web-tree-sitter";
import { SandboxError } from "../errors.ts";
import { type Grammar, SyntaxTree } from "./tree.ts";
import { type RawParser, walkerOf } from "./walker.ts";

/** Longest time that parsing may take, in ms. */
const _parseMs = 2_000;
/** Longest time that one query may take, in ms. */
const _queryMs = 250;
/** Most matches that a query keeps track of at a time. */
const _matchLimit = 2_000;
/** Most queries that are kept. */
const _queriesMax = 200;
const _noMemory = "the parser has no memory left for it";
/** Memory of the parser, in pages of 64 KiB: as much as it begins with, and the most, 512 MiB. */
const _firstPages = 512;
const _mostPages = 8_192;
/** After code longer than this the parser's memory, which never shrinks, is given back. */
const _largeText = 400_000;

// Behind variables, so that programs without a policy need none of these packages.
const _enginePackage = "web-tree-sitter";
const _bundle = "@vscode/tree-sitter-wasm";

/** Which grammar parses a language, and the package it comes in. */
export interface GrammarSource {
  /** Name of the package. */
  readonly package: string;
  /** The file in it. */
  readonly file: string;
}

/** A grammar of the bundle. */
export function bundled(name: string): GrammarSource {
  return { package: _bundle, file: `wasm/tree-sitter-${name}.wasm` };
}

type EngineModule = typeof import("web-tree-sitter");

interface Engine {
  readonly module: EngineModule;
  /** What the module's WebAssembly is called by. */
  readonly raw: RawParser;
  readonly grammars: Map<string, Promise<Loaded>>;
  /** What it has made, to be let go of when it breaks. */
  readonly made: { delete(): void }[];
  /** Its memory is worth nothing any more. */
  broken: boolean;
}

interface Loaded {
  readonly language: Language;
  readonly parser: Parser;
  readonly grammar: Grammar;
  /** Queries by their text. */
  readonly queries: Map<string, Query>;
}

let _engine: Promise<Engine> | undefined;
let _current: Engine | undefined;

/** Where a query found something: from, to. */
export type Spot = readonly [number, number];

/** What became of code: its tree and what queries found in it; a reason where a bound was hit. */
export type Parsed =
  | { readonly tree: SyntaxTree; readonly spots: readonly (Spot[] | null)[] }
  | { readonly limit: string };

/** A parser for one language. */
export interface CodeParser {
  /** Whether another check has broken it, so that it has to be loaded again. */
  readonly broken: boolean;
  /** Parses code and asks queries of it; the spots of a query that hit its bounds are null. */
  parse(text: string, queries: readonly string[]): Parsed;
  /** Throws what is wrong with a query. */
  checkQuery(query: string): void;
}

/** Loads the parser of a language; `closed` are kinds of nodes whose parts are never looked at. */
export async function loadParser(
  source: GrammarSource,
  closed: ReadonlySet<string>,
): Promise<CodeParser> {
  for (let tries = 1;; tries++) {
    const engine = await (_engine ??= _load());
    try {
      const loaded = await _grammarOf(engine, source, closed);
      if (!engine.broken) return _parserOf(engine, loaded);
    } catch (error) {
      // An engine that another check has broken, or that had no room left, is made anew.
      if (error instanceof SandboxError || tries === 3) throw error;
      _abandon(engine, []);
    }
  }
}

function _grammarOf(
  engine: Engine,
  source: GrammarSource,
  closed: ReadonlySet<string>,
): Promise<Loaded> {
  let loading = engine.grammars.get(source.file);
  if (!loading) {
    loading = _loadGrammar(engine, source, closed);
    engine.grammars.set(source.file, loading);
    loading.catch(() => engine.grammars.delete(source.file));
  }
  return loading;
}

function _parserOf(
  engine: Engine,
  { language, parser, grammar, queries: kept }: Loaded,
): CodeParser {
  const { Query: QueryClass } = engine.module;
  const query = (text: string): Query => {
    const known = kept.get(text);
    if (known) return known;
    if (kept.size >= _queriesMax) {
      for (const one of kept.values()) one.delete();
      kept.clear();
    }
    const fresh = new QueryClass(language, text);
    kept.set(text, fresh);
    return fresh;
  };
  return {
    get broken() {
      return engine.broken;
    },
    checkQuery: (text) => void query(text),
    parse(text, queries) {
      if (engine.broken) return { limit: _noMemory };
      const until = performance.now() + _parseMs;
      let tree: Tree | null = null;
      try {
        tree = parser.parse(text, null, {
          progressCallback: () => performance.now() > until,
        });
        if (!tree) {
          parser.reset();
          return { limit: `parsing it takes longer than ${_parseMs} ms` };
        }
        const { rootNode } = tree;
        const spots = queries.map((one) => _ask(query(one), rootNode));
        const walker = walkerOf(tree, engine.raw);
        const copy = new SyntaxTree(text, tree, grammar, walker);
        tree.delete();
        // Others may be about to use it, so it is not freed but left behind.
        if (text.length > _largeText) _leave(engine);
        return { tree: copy, spots };
      } catch {
        _abandon(engine, [...kept.values(), ...tree ? [tree] : []]);
        return { limit: _noMemory };
      }
    },
  };
}

function _ask(
  query: Query,
  root: import("web-tree-sitter").Node,
): Spot[] | null {
  const until = performance.now() + _queryMs;
  let late = false;
  const matches = query.matches(root, {
    matchLimit: _matchLimit,
    // deno-lint-ignore no-explicit-any -- the declared type forgets that true ends the query
    progressCallback: (() => late = performance.now() > until) as any,
  });
  if (late || query.didExceedMatchLimit()) return null;
  return matches.slice(0, 100).flatMap(({ captures }) => {
    const node = captures[0]?.node;
    return node ? [[node.startIndex, node.endIndex] as const] : [];
  });
}

/** The next check begins with another engine. */
function _leave(engine: Engine): void {
  if (_current === engine) _engine = undefined;
}

/** The parser ran out of memory or stack: nothing of it may be called again, by the garbage collector neither. */
function _abandon(
  engine: Engine,
  more: readonly { delete(): void }[],
): void {
  engine.broken = true;
  _leave(engine);
  for (const one of [...engine.made, ...more]) {
    try {
      one.delete();
    } catch {
      // Taken off the garbage collector's list before it failed.
    }
  }
}

const _quiet = () => {};

async function _load(): Promise<Engine> {
  let module: EngineModule;
  try {
    module = await _freshModule();
  } catch (cause) {
    _engine = undefined;
    throw _missing(_enginePackage, cause);
  }
  const raw: RawParser = {
    // What the module has to say to the terminal, callers hear as a finding.
    print: _quiet,
    printErr: _quiet,
    wasmMemory: new WebAssembly.Memory({
      initial: _firstPages,
      maximum: _mostPages,
    }),
  };
  await module.Parser.init(raw);
  return _current = {
    module,
    raw,
    grammars: new Map(),
    made: [],
    broken: false,
  };
}

/**
 * An instance of the parser's module that nobody else has: a module that was imported lives as long as the process, and
 * its memory with it; one that was required and forgotten goes with its last user.
 */
async function _freshModule(): Promise<EngineModule> {
  const { createRequire } = await import("node:module");
  const require = createRequire(import.meta.url);
  let path: string;
  try {
    path = require.resolve(_enginePackage);
  } catch {
    // Deno fetches a package when something of it is imported.
    await import(_enginePackage);
    path = require.resolve(_enginePackage);
  }
  delete require.cache[path];
  const module = require(path);
  delete require.cache[path];
  return module;
}

async function _loadGrammar(
  { module, made }: Engine,
  source: GrammarSource,
  closed: ReadonlySet<string>,
): Promise<Loaded> {
  let bytes: Uint8Array;
  try {
    bytes = await _readOf(source);
  } catch (cause) {
    throw _missing(source.package, cause);
  }
  const language = await module.Language.load(bytes);
  const parser = new module.Parser();
  made.push(parser);
  parser.setLanguage(language);
  const names: string[] = [];
  const named: boolean[] = [];
  for (let id = 0; id < language.nodeTypeCount; id++) {
    names.push(language.nodeTypeForId(id) ?? "");
    named.push(language.nodeTypeIsNamed(id));
  }
  const grammar = { names, named, closed: names.map((one) => closed.has(one)) };
  return { language, parser, grammar, queries: new Map() };
}

async function _readOf(source: GrammarSource): Promise<Uint8Array> {
  const { readFile } = await import("node:fs/promises");
  const name = `${source.package}/${source.file}`;
  try {
    return await readFile(new URL(await _urlOf(name)));
  } catch {
    // Deno fetches a package when something of it is imported, not when it is resolved.
    await import(`${source.package}/package.json`, { with: { type: "json" } });
    return await readFile(new URL(await _urlOf(name)));
  }
}

/** Where a file of a package is. */
async function _urlOf(name: string): Promise<string> {
  if (typeof import.meta.resolve === "function") {
    return import.meta.resolve(name);
  }
  // Before Node 20.6.
  const { createRequire } = await import("node:module");
  const { pathToFileURL } = await import("node:url");
  return pathToFileURL(createRequire(import.meta.url).resolve(name)).href;
}

function _missing(name: string, cause: unknown): SandboxError {
  return new SandboxError(
    "TOOLCHAIN_MISSING",
    `Cannot check code: the package ${name}, which parses it, is not installed. Install it, for example by npm install ${name}.`,
    { cause },
  );
}
