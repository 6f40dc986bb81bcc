import type { Atoms } from "../atoms.ts";
import type { Findings } from "../findings.ts";
import type { GrammarSource } from "../parsers.ts";
import type { Naming, Rules } from "../rules.ts";
import type { SyntaxTree } from "../tree.ts";

/** Names that earlier cells of an interactive session have bound, and to what. */
export type Bound = Map<string, Atoms>;

/** Code as it is parsed, and where what is in it stands in the code that was given. */
export interface Prepared {
  /** What is parsed. */
  readonly text: string;
  /** Turns an offset in `text` into one in the code that was given. */
  readonly at?: (offset: number) => number;
  /** What is wrong with the way in which it is written, if so. */
  readonly unclear?: string;
}

/** What a language checks code with. */
export interface Checking {
  /** The code. */
  readonly tree: SyntaxTree;
  /** Modules and functions that the policy names. */
  readonly rules: Rules;
  /** Where to say what was found. */
  readonly findings: Findings;
  /** Names from earlier cells. */
  readonly bound: Bound;
  /** Checks code that stands in a string at this node. */
  nested(code: string, node: number): void;
}

/** All that the policy knows of one language. */
export interface PolicyLanguage {
  /** Its name. */
  readonly name: string;
  /** What parses it. */
  readonly grammar: GrammarSource;
  /** Kinds of nodes whose parts are never looked at. */
  readonly closed: readonly string[];
  /** How modules and functions are named. */
  readonly naming: Naming;
  /** Modules that a package to install is known to hold, where they have other names. */
  readonly packages?: Readonly<Record<string, string>>;
  /** Turns code into what is parsed. */
  prepare(code: string): Prepared;
  /** Finds what the policy says something about. Answers the names that are bound for later cells. */
  check(checking: Checking): Bound | void;
}
