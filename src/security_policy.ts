import {
  anything,
  type Check,
  invalid,
  list,
  object,
  oneOf,
  string,
} from "./check.ts";

/** How bad a finding is; `safe` is a note that never blocks. */
export type Severity = "safe" | "low" | "medium" | "high";

/** Policies that come with Mote; the guide to policies says what each one refuses. */
export type PolicyPreset =
  | "minimal"
  | "development"
  | "educational"
  | "dataScience"
  | "webScraping"
  | "production"
  | "strict";

/** What every rule of a policy may say. */
export interface PolicyRule {
  /** What it is about, for people. @default made from the rule; 1_000 characters at most */
  description?: string;
  /** How bad it is. @default "high" */
  severity?: Severity;
  /** Languages that it holds for, such as ["python"]. @default all */
  languages?: readonly string[];
}

/** Something to look for in the code: a regular expression or a query on the syntax tree, one of the two. */
export interface PolicyPattern extends PolicyRule {
  /**
   * A regular expression in RE2's syntax (no look-around, no backreferences), matched in linear time against the code
   * without its comments. 1_000 characters at most
   */
  pattern?: string | RegExp;
  /** A tree-sitter query, whose first capture is what is found. 4_000 characters at most */
  query?: string;
}

/** A module that must not be used; one with a dot in its name is a part of another. */
export interface RestrictedModule extends PolicyRule {
  /** Its name, such as "os", "urllib.request" or "child_process". */
  name: string;
  /** What to use in its place, for the hint. @default []; 20 at most */
  alternatives?: readonly string[];
}

/** A function that must not be used, however it is reached. */
export interface RestrictedCall extends PolicyRule {
  /** Its name with that of its module, such as "os.system", "eval" or "subprocess.*". */
  name: string;
  /** What to use in its place, for the hint. @default []; 20 at most */
  alternatives?: readonly string[];
}

/** Rules for code, checked on its syntax tree before anything runs. */
export interface SecurityPolicy {
  /** Things to look for. @default []; 100 at most */
  patterns?: readonly PolicyPattern[];
  /** Modules that must not be used. @default []; 1_000 at most */
  restrictedModules?: readonly RestrictedModule[];
  /** The only modules that may be used, with what is below them. @default all that are not restricted; 1_000 at most */
  allowedModules?: readonly string[];
  /** Functions that must not be used. @default []; 1_000 at most */
  restrictedCalls?: readonly RestrictedCall[];
  /** The severity from which a finding blocks; "safe" blocks nothing. @default "low" */
  severityThreshold?: Severity;
  /** How bad it is when what runs is decided at run time only, as with `eval` of a computed string. @default "medium" */
  dynamic?: Severity;
  /** How bad it is when code cannot be parsed. @default "safe" */
  parseError?: Severity;
}

/** A policy, the name of a preset, or a list of both: later entries add to earlier ones and override them. */
export type SecurityPolicyOption =
  | PolicyPreset
  | SecurityPolicy
  | readonly (PolicyPreset | SecurityPolicy)[];

const _presets: readonly PolicyPreset[] = [
  "minimal",
  "development",
  "educational",
  "dataScience",
  "webScraping",
  "production",
  "strict",
];

const _severity = oneOf<Severity>(["safe", "low", "medium", "high"]);

const _bounded = (max: number) =>
  string((value) =>
    value.trim() === ""
      ? "it is empty"
      : value.length > max
      ? `it has ${value.length} characters, ${max} is the most`
      : undefined
  );

const _name = string((value) =>
  /^[^\s"'\\]{1,200}$/u.test(value)
    ? undefined
    : "it is no name, or longer than 200 characters"
);

const _language = string((value) =>
  /^[a-z]{1,20}$/.test(value) ? undefined : "it is no name of a language"
);

const _rule = {
  description: _bounded(1_000),
  severity: _severity,
  languages: list(_language, 20),
};

const _regex: Check<string | RegExp> = (value, name) => {
  if (!(value instanceof RegExp)) return _bounded(1_000)(value, name);
  _bounded(1_000)(value.source, name);
  const unknown = value.flags.replace(/[dgimsu]/g, "");
  if (unknown === "") return value;
  throw invalid(name, `it has the flag ${unknown}`, "Take i, m, s and u only.");
};

const _patternFields = object<PolicyPattern>({
  ..._rule,
  pattern: _regex,
  query: _bounded(4_000),
});

const _pattern: Check<PolicyPattern> = (value, name) => {
  const parsed = _patternFields(value, name);
  if ((parsed.pattern === undefined) !== (parsed.query === undefined)) {
    return parsed;
  }
  const state = "it needs either pattern or query";
  throw invalid(name, state, "Give one of the two.");
};

const _nameField = <T extends { name: string }>(check: Check<T>): Check<T> => {
  return (value, name) => {
    const parsed = check(value, name);
    if (parsed.name !== undefined) return parsed;
    throw invalid(name, "it has no name", 'Give one, such as { name: "os" }.');
  };
};

const _restricted = {
  ..._rule,
  name: _name,
  alternatives: list(_bounded(200), 20),
};

const _policy = object<SecurityPolicy>({
  patterns: list(_pattern, 100),
  restrictedModules: list(
    _nameField(object<RestrictedModule>(_restricted)),
    1_000,
  ),
  allowedModules: list(_name, 1_000),
  restrictedCalls: list(_nameField(object<RestrictedCall>(_restricted)), 1_000),
  severityThreshold: _severity,
  dynamic: _severity,
  parseError: _severity,
});

const _one: Check<PolicyPreset | SecurityPolicy> = (value, name) =>
  typeof value === "string"
    ? oneOf(_presets)(value, name)
    : _policy(value, name);

/** Checks the option `securityPolicy`. */
export const securityPolicyOption: Check<SecurityPolicyOption> = (
  value,
  name,
) => Array.isArray(value) ? list(_one, 20)(value, name) : _one(value, name);

const _json = object<SecurityPolicy & { $schema: unknown }>({
  $schema: anything,
  patterns: anything as Check<PolicyPattern[]>,
  restrictedModules: anything as Check<RestrictedModule[]>,
  allowedModules: anything as Check<string[]>,
  restrictedCalls: anything as Check<RestrictedCall[]>,
  severityThreshold: anything as Check<Severity>,
  dynamic: anything as Check<Severity>,
  parseError: anything as Check<Severity>,
});

/**
 * Reads a policy that was written as JSON, by the schema in docs/policy.schema.json.
 *
 * @example
 * ```ts
 * import { createSession, policyFromJson } from "@mote/sandbox";
 *
 * const securityPolicy = policyFromJson(`{
 *   "restrictedModules": [{ "name": "os", "severity": "high", "alternatives": ["pathlib"] }]
 * }`);
 * const session = await createSession({ securityPolicy });
 * const { safe, violations } = await session.isSafe("import sys, os");
 * console.log(safe, violations[0]?.line, violations[0]?.hint); // false 1 "Use pathlib."
 * await session.close();
 * ```
 */
export function policyFromJson(json: string | object): SecurityPolicy {
  const name = "securityPolicy";
  let value: unknown = json;
  if (typeof json === "string") {
    try {
      value = JSON.parse(json);
    } catch (error) {
      const state = `it is no JSON (${(error as Error).message})`;
      throw invalid(name, state, "Correct it, or check it by the schema.");
    }
  }
  const { $schema: _, ...policy } = _json(value, name);
  return _policy(policy, name);
}
