import type { RE2JS } from "re2js";
import { invalid } from "../check.ts";
import { SandboxError } from "../errors.ts";
import type { PolicyPattern } from "../security_policy.ts";
import type { Findings } from "./findings.ts";
import type { CodeParser, Spot } from "./parsers.ts";
import type { SyntaxTree } from "./tree.ts";

// Behind a variable, so that programs without patterns do not need it.
const _package = "re2js";

/** Most matches of one pattern that are reported. */
const _matchesMax = 20;
/** Steps of all patterns over the code that are allowed: instructions times characters. */
const _stepsMax = 200_000_000;
/** Most instructions of one pattern. */
const _sizeMax = 2_000;

interface Compiled {
  readonly name: string;
  readonly rule: PolicyPattern;
  readonly regex: RE2JS;
  readonly size: number;
}

/** The patterns of a policy for one language. */
export class Patterns {
  readonly #compiled: readonly Compiled[];
  /** Queries, by what they are called in errors. */
  readonly queries: readonly {
    readonly query: string;
    readonly name: string;
    readonly rule: PolicyPattern;
  }[];

  private constructor(
    compiled: readonly Compiled[],
    queries: Patterns["queries"],
  ) {
    this.#compiled = compiled;
    this.queries = queries;
  }

  /** Compiles regular expressions; refuses what RE2 cannot match in linear time. */
  static async compile(
    patterns: readonly PolicyPattern[],
    language: string,
  ): Promise<Patterns> {
    const compiled: Compiled[] = [];
    const queries: Patterns["queries"][number][] = [];
    for (const [index, rule] of patterns.entries()) {
      if (rule.languages && !rule.languages.includes(language)) continue;
      const name = `securityPolicy pattern ${index + 1}`;
      if (rule.query !== undefined) {
        queries.push({ query: rule.query, name, rule });
      } else compiled.push(await _compile(rule, name));
    }
    return new Patterns(compiled, queries);
  }

  /** Says what they find. */
  report(
    tree: SyntaxTree,
    spots: readonly (readonly Spot[] | null)[],
    findings: Findings,
  ): void {
    for (const [index, { rule, name }] of this.queries.entries()) {
      const found = spots[index];
      if (found) {
        for (const [from] of found.slice(0, _matchesMax)) {
          _found(findings, rule, rule.query!, from);
        }
      } else _limit(findings, name);
    }
    if (this.#compiled.length === 0) return;
    const text = _withoutComments(tree);
    let steps = 0;
    for (const { name, rule, regex, size } of this.#compiled) {
      steps += size * text.length;
      if (steps > _stepsMax) {
        _limit(findings, name);
        return;
      }
      const matcher = regex.matcher(text);
      const shown = String(rule.pattern);
      for (let n = 0; n < _matchesMax && matcher.find(); n++) {
        _found(findings, rule, shown, matcher.start());
      }
    }
  }
}

function _found(
  findings: Findings,
  rule: PolicyPattern,
  shown: string,
  offset: number,
): void {
  findings.add({
    rule: "pattern",
    name: shown.length > 60 ? `${shown.slice(0, 60)}…` : shown,
    message: rule.description ?? "the code matches a pattern of the policy",
    severity: rule.severity ?? "high",
    hint: "Write it without what the pattern describes.",
  }, offset);
}

function _limit(findings: Findings, name: string): void {
  findings.add({
    rule: "limit",
    name,
    message: "the pattern takes too long on code of this size",
    severity: "high",
    hint: "Write shorter code, or make the pattern simpler.",
  }, 0);
}

async function _compile(rule: PolicyPattern, name: string): Promise<Compiled> {
  let engine: typeof import("re2js");
  try {
    engine = await import(_package);
  } catch (cause) {
    throw new SandboxError(
      "TOOLCHAIN_MISSING",
      `Cannot use a pattern: the package ${_package} is not installed. Install it, for example by npm install ${_package}.`,
      { cause },
    );
  }
  const { RE2JS } = engine;
  const { pattern } = rule;
  const given = pattern instanceof RegExp
    ? pattern
    : { source: pattern!, flags: "" };
  const flags = (given.flags.includes("i") ? RE2JS.CASE_INSENSITIVE : 0) |
    (given.flags.includes("m") ? RE2JS.MULTILINE : 0) |
    (given.flags.includes("s") ? RE2JS.DOTALL : 0);
  try {
    const source = pattern instanceof RegExp
      ? RE2JS.translateRegExp(given.source)
      : given.source;
    const regex = RE2JS.compile(source, flags);
    const size = regex.programSize();
    if (size <= _sizeMax) return { name, rule, regex, size };
  } catch (error) {
    throw invalid(
      name,
      `it is no regular expression of RE2 (${(error as Error).message})`,
      "Write it without look-around and backreferences, or as a query.",
    );
  }
  throw invalid(name, "it is too large", "Use smaller repetitions.");
}

/** Refuses a query that does not fit the grammar, or could take any time. */
export function checkQuery(
  parser: CodeParser,
  query: string,
  name: string,
): void {
  // The bindings match these with the host's regular expressions, which can take for ever.
  if (/#(any-)?(not-)?match\?/.test(query)) {
    throw invalid(name, "a query cannot use #match?", "Use #eq? or #any-of?.");
  }
  if (!/@[A-Za-z_]/.test(query)) {
    throw invalid(
      name,
      "the query captures nothing",
      "Add a capture, such as @found.",
    );
  }
  try {
    parser.checkQuery(query);
  } catch (error) {
    const state = `the grammar does not know it (${(error as Error).message})`;
    throw invalid(name, state, "Correct it, or say for which languages it is.");
  }
}

function _withoutComments(tree: SyntaxTree): string {
  const parts: string[] = [];
  let from = 0;
  for (let node = 0; node < tree.size; node++) {
    if (!tree.kind(node).endsWith("comment")) continue;
    const [start, end] = [tree.start(node), tree.end(node)];
    if (start < from) continue;
    parts.push(
      tree.text.slice(from, start),
      _blank(tree.text.slice(start, end)),
    );
    from = end;
  }
  return parts.length === 0
    ? tree.text
    : parts.join("") + tree.text.slice(from);
}

const _blank = (text: string) => text.replace(/[^\n]/g, " ");
