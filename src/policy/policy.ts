import { createHash } from "node:crypto";
import { invalid } from "../check.ts";
import type { Violation } from "../errors.ts";
import type { SecurityPolicyOption } from "../security_policy.ts";
import { Findings } from "./findings.ts";
import type { Bound, PolicyLanguage, Prepared } from "./languages/language.ts";
import { policyLanguages } from "./languages/languages.ts";
import { type CodeParser, loadParser } from "./parsers.ts";
import { checkQuery, Patterns } from "./patterns.ts";
import { type ResolvedPolicy, resolvePolicy } from "./resolved.ts";
import { Rules } from "./rules.ts";

/** Longest code that is looked at, in UTF-16 code units. */
const _longest = 4_000_000;
/** How deep code in strings in code is looked at. */
const _nestedMax = 4;
/** How much code in strings is looked at. */
const _nestedPieces = 200;

/** What a policy says of a piece of code. */
export interface Verdict {
  /** Whether nothing was found that blocks. */
  readonly safe: boolean;
  /** All that was found, notes too. */
  readonly violations: readonly Violation[];
}

/** Languages that policies know. */
export function knowsLanguage(name: string): boolean {
  return Object.hasOwn(policyLanguages, name);
}

/** A policy for one language. */
export class Policy {
  readonly #policy: ResolvedPolicy;
  readonly #language: PolicyLanguage;
  readonly #rules: Rules;
  readonly #patterns: Patterns;
  readonly #closed: ReadonlySet<string>;
  #bound: Bound = new Map();

  private constructor(
    policy: ResolvedPolicy,
    language: PolicyLanguage,
    patterns: Patterns,
  ) {
    this.#policy = policy;
    this.#language = language;
    this.#rules = new Rules(policy, language.name, language.naming);
    this.#patterns = patterns;
    this.#closed = new Set(language.closed);
  }

  /** Prepares a policy; refuses what is wrong with its patterns. */
  static async compile(
    option: SecurityPolicyOption,
    language: string,
  ): Promise<Policy> {
    const found = policyLanguages[language];
    if (!found) throw new Error(`no rules for ${language}`);
    const policy = resolvePolicy(option);
    const patterns = await Patterns.compile(policy.patterns, language);
    const made = new Policy(policy, found, patterns);
    // Now, so that a package that is missing is missed here.
    const parser = await made.#parser();
    for (const { query, name } of patterns.queries) {
      checkQuery(parser, query, name);
    }
    return made;
  }

  #parser(): Promise<CodeParser> {
    return loadParser(this.#language.grammar, this.#closed);
  }

  /** Hash of the policy, in hex. */
  get sha256(): string {
    const text = JSON.stringify(
      this.#policy,
      (_, value) => value instanceof RegExp ? String(value) : value,
    );
    return createHash("sha256").update(text).digest("hex");
  }

  /** Forgets what earlier cells bound. */
  forget(): void {
    this.#bound = new Map();
  }

  /** What is wrong with code. `keep` remembers its names for the next cell, if it is safe. */
  async check(code: string | Uint8Array, keep = false): Promise<Verdict> {
    const given = typeof code === "string"
      ? code
      : new TextDecoder("utf-8", { ignoreBOM: true }).decode(code);
    const prepared = this.#language.prepare(given.slice(0, _longest + 1));
    const { severityThreshold } = this.#policy;
    const findings = new Findings(given, severityThreshold, prepared.at);
    let parser = await this.#parser();
    while (parser.broken) parser = await this.#parser();
    const bound = this.#look(parser, given, findings, prepared);
    const violations = findings.all();
    const safe = !violations.some(({ blocks }) => blocks);
    if (keep && safe && bound) {
      for (const [name, atoms] of bound) this.#bound.set(name, atoms);
    }
    return { safe, violations };
  }

  #look(
    parser: CodeParser,
    given: string,
    findings: Findings,
    prepared: Prepared,
  ): Bound | void {
    const limit = (message: string) =>
      findings.add({
        rule: "limit",
        name: "code",
        message: `the code cannot be checked: ${message}`,
        severity: "high",
        hint: "Write it shorter or plainer.",
      }, 0);
    if (given.length > _longest) {
      return limit(`it is longer than ${_longest} characters`);
    }
    if (prepared.unclear !== undefined) {
      this.#rules.reportDynamic(
        findings,
        "source",
        `${prepared.unclear} makes other code of this than it seems`,
        0,
        "Write it in plain UTF-8.",
      );
    }
    let pieces = 0;
    const look = (text: string, depth: number): Bound | void => {
      const queries = this.#patterns.queries.map(({ query }) => query);
      const parsed = parser.parse(text, queries);
      if ("limit" in parsed) return limit(parsed.limit);
      const { tree, spots } = parsed;
      // A text that is no code is no fault of the program's syntax.
      const counts = depth === 0 || this.#policy.parseError !== "safe";
      if (tree.errorAt >= 0 && counts) {
        findings.add({
          rule: "parse-error",
          name: "syntax",
          message: "the code cannot be parsed here",
          severity: this.#policy.parseError,
          hint: "Correct the syntax.",
        }, tree.errorAt);
      }
      this.#patterns.report(tree, spots, findings);
      return this.#language.check({
        tree,
        rules: this.#rules,
        findings,
        bound: this.#bound,
        nested: (code, node) => {
          const inner = this.#language.prepare(code);
          const offset = tree.start(node);
          if (
            depth >= _nestedMax || ++pieces > _nestedPieces || inner.unclear
          ) {
            const message = "code stands in strings in code, again and again";
            this.#rules.reportDynamic(findings, "nested code", message, offset);
          } else {findings.inside(offset, () =>
              void look(inner.text, depth + 1));}
        },
      });
    };
    return look(prepared.text, 0);
  }

  /** What is wrong with packages that are to be installed. */
  checkPackages(packages: readonly string[]): Verdict {
    const findings = new Findings("", this.#policy.severityThreshold);
    const names = this.#language.packages ?? {};
    for (const wanted of packages) {
      const name = /^\s*([A-Za-z0-9][A-Za-z0-9._-]*)/.exec(wanted)?.[1];
      if (name === undefined) continue;
      const plain = name.toLowerCase().replace(/[._]+/g, "-");
      const module = Object.hasOwn(names, plain)
        ? names[plain]!
        : this.#known(plain, name);
      this.#rules.reportModule(findings, module);
    }
    const violations = findings.all();
    return { safe: !violations.some(({ blocks }) => blocks), violations };
  }

  /** The spelling of a package's module that a rule is about, if there is one. */
  #known(plain: string, name: string): string {
    const spellings = [
      plain.replaceAll("-", "_"),
      plain,
      name,
      plain.replaceAll("-", "."),
    ];
    return spellings.find((one) => this.#rules.module(one)) ??
      spellings.find((one) => !this.#rules.notAllowed(one)) ?? spellings[0]!;
  }
}

/** Refuses a policy that could not be kept: for use before a session is opened. */
export async function compilePolicy(
  option: SecurityPolicyOption,
  language: string,
): Promise<Policy> {
  try {
    return await Policy.compile(option, language);
  } catch (error) {
    if (error instanceof RangeError) {
      throw invalid("securityPolicy", error.message, "Make it smaller.");
    }
    throw error;
  }
}
