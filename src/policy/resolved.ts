import { invalid } from "../check.ts";
import type {
  PolicyPattern,
  PolicyPreset,
  RestrictedCall,
  RestrictedModule,
  SecurityPolicy,
  SecurityPolicyOption,
  Severity,
} from "../security_policy.ts";
import { policyPreset } from "./presets.ts";

/** A policy with every default filled in and its parts put together. */
export interface ResolvedPolicy {
  /** Things to look for. */
  readonly patterns: readonly PolicyPattern[];
  /** Modules that must not be used. */
  readonly restrictedModules: readonly RestrictedModule[];
  /** The only modules that may be used; null is any. */
  readonly allowedModules: readonly string[] | null;
  /** Functions that must not be used. */
  readonly restrictedCalls: readonly RestrictedCall[];
  /** The severity from which a finding blocks. */
  readonly severityThreshold: Severity;
  /** Of what is decided at run time only. */
  readonly dynamic: Severity;
  /** Of code that cannot be parsed. */
  readonly parseError: Severity;
}

/** Puts the parts of a policy together: later ones add to earlier ones and override them. */
export function resolvePolicy(option: SecurityPolicyOption): ResolvedPolicy {
  const parts = (Array.isArray(option) ? option : [option]) as readonly (
    | PolicyPreset
    | SecurityPolicy
  )[];
  const patterns: PolicyPattern[] = [];
  const modules = new Map<string, RestrictedModule>();
  const calls = new Map<string, RestrictedCall>();
  let allowed: Set<string> | null = null;
  let scalars: Pick<
    ResolvedPolicy,
    "severityThreshold" | "dynamic" | "parseError"
  > = { severityThreshold: "low", dynamic: "medium", parseError: "safe" };
  for (const part of parts) {
    const policy = typeof part === "string" ? policyPreset(part) : part;
    patterns.push(...policy.patterns ?? []);
    for (const one of policy.restrictedModules ?? []) {
      modules.set(_key(one), one);
    }
    for (const one of policy.restrictedCalls ?? []) calls.set(_key(one), one);
    for (const name of policy.allowedModules ?? []) {
      allowed = (allowed ?? new Set<string>()).add(name);
    }
    // An empty list allows none.
    if (policy.allowedModules) allowed ??= new Set();
    const { severityThreshold, dynamic, parseError } = policy;
    scalars = {
      severityThreshold: severityThreshold ?? scalars.severityThreshold,
      dynamic: dynamic ?? scalars.dynamic,
      parseError: parseError ?? scalars.parseError,
    };
  }
  if (patterns.length > 100) {
    const state = `it has ${patterns.length} patterns together`;
    throw invalid("securityPolicy", state, "Give 100 at most.");
  }
  return {
    patterns,
    restrictedModules: [...modules.values()],
    allowedModules: allowed && [...allowed],
    restrictedCalls: [...calls.values()],
    ...scalars,
  };
}

/** The same name in other languages is another rule. */
function _key(rule: RestrictedModule | RestrictedCall): string {
  return `${[...rule.languages ?? []].sort().join()}:${rule.name}`;
}
