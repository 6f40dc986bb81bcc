import type {
  PolicyRule,
  RestrictedCall,
  RestrictedModule,
  Severity,
} from "../security_policy.ts";
import type { Findings } from "./findings.ts";
import type { ResolvedPolicy } from "./resolved.ts";

/** Names of one language that mean the same module, and how they are written. */
export interface Naming {
  /** Stands between a module and what is in it. */
  readonly separator: string;
  /** The one way in which the name of a module is compared. */
  module(name: string): string;
}

/** Modules and functions that a policy names, for one language. */
export class Rules {
  readonly #modules = new Map<string, RestrictedModule>();
  readonly #calls = new Map<string, RestrictedCall>();
  readonly #allowed: Set<string> | null;
  readonly #moduleOf = new Map<string, RestrictedModule | undefined>();
  readonly #callOf = new Map<string, RestrictedCall | undefined>();
  readonly #withMembers = new Map<string, boolean>();
  readonly #naming: Naming;
  readonly #dynamic: Severity;
  /** The first parts of restricted modules. */
  readonly roots: ReadonlySet<string>;
  /** By module, the names in it that must not be used; "" has those that belong to none. */
  readonly members: ReadonlyMap<string, ReadonlySet<string>>;

  constructor(policy: ResolvedPolicy, language: string, naming: Naming) {
    const holds = ({ languages }: PolicyRule) =>
      !languages || languages.includes(language);
    const { separator } = naming;
    this.#naming = naming;
    this.#dynamic = policy.dynamic;
    for (const one of policy.restrictedModules.filter(holds)) {
      this.#modules.set(naming.module(one.name), one);
    }
    const members = new Map<string, Set<string>>();
    for (const one of policy.restrictedCalls.filter(holds)) {
      const cut = one.name.lastIndexOf(separator);
      const module = cut < 0 ? "" : naming.module(one.name.slice(0, cut));
      const member = cut < 0
        ? one.name
        : one.name.slice(cut + separator.length);
      this.#calls.set(
        module === "" ? member : module + separator + member,
        one,
      );
      const known = members.get(module) ?? new Set();
      members.set(module, known.add(member));
    }
    this.members = members;
    this.#allowed = policy.allowedModules &&
      new Set(policy.allowedModules.map((name) => naming.module(name)));
    this.roots = new Set(
      [...this.#modules.keys()].map((name) => name.split(separator)[0]!),
    );
  }

  /** The rule for a module or what is in it. */
  module(name: string): RestrictedModule | undefined {
    return _above(
      this.#naming.module(name),
      this.#naming.separator,
      (one) => this.#modules.get(one),
    );
  }

  /** Whether there are modules besides which none may be used, and this is not one of them. */
  notAllowed(name: string): boolean {
    if (!this.#allowed) return false;
    const { separator } = this.#naming;
    return _above(
      this.#naming.module(name),
      separator,
      (one) => this.#allowed!.has(one) || undefined,
    ) === undefined;
  }

  /** The rule for a function. */
  call(path: string): RestrictedCall | undefined {
    return _remembered(this.#callOf, path, () => this.#findCall(path));
  }

  #findCall(path: string): RestrictedCall | undefined {
    const { separator } = this.#naming;
    const cut = path.lastIndexOf(separator);
    if (cut < 0) return this.#calls.get(path);
    const module = this.#naming.module(path.slice(0, cut));
    const exact = this.#calls.get(module + path.slice(cut));
    if (exact) return exact;
    return _above(
      module,
      separator,
      (one) => this.#calls.get(`${one}${separator}*`),
    );
  }

  /** The whole name of a function in a module; "" is none. */
  join(module: string, member: string): string {
    return module === "" ? member : module + this.#naming.separator + member;
  }

  /** Whether some function of this module is restricted. */
  hasMembers(module: string): boolean {
    return _remembered(
      this.#withMembers,
      module,
      () => this.members.has(this.#naming.module(module)),
    );
  }

  /** The names in a module that must not be used. */
  membersOf(module: string): ReadonlySet<string> | undefined {
    return this.hasMembers(module)
      ? this.members.get(this.#naming.module(module))
      : undefined;
  }

  /** Says that a module is used. Answers whether it may not be. */
  reportModule(findings: Findings, name: string, offset?: number): boolean {
    const rule = this.module(name);
    if (rule) {
      findings.add({
        rule: "restricted-module",
        name: rule.name,
        message: rule.description ?? `module ${rule.name} must not be used`,
        severity: rule.severity ?? "high",
        hint: _hint(rule.alternatives),
      }, offset);
    }
    if (rule || !this.notAllowed(name)) return rule !== undefined;
    const allowed = [...this.#allowed!].slice(0, 10).join(", ");
    findings.add({
      rule: "module-not-allowed",
      name,
      message: `module ${name} is not among the allowed ones`,
      severity: "high",
      hint: allowed === ""
        ? "Do without modules."
        : `Use allowed ones only, such as ${allowed}.`,
    }, offset);
    return true;
  }

  /** Says that a function is used, if it must not be. */
  reportCall(findings: Findings, path: string, offset: number): boolean {
    const rule = this.call(path);
    if (!rule) return false;
    findings.add({
      rule: "restricted-call",
      name: rule.name,
      message: rule.description ?? `${rule.name} must not be used`,
      severity: rule.severity ?? "high",
      hint: _hint(rule.alternatives),
    }, offset);
    return true;
  }

  /** Says that something is decided at run time only. */
  reportDynamic(
    findings: Findings,
    name: string,
    message: string,
    offset: number,
    hint = "Write it so that the name or the code stands there as a constant.",
  ): void {
    const severity = this.#dynamic;
    findings.add({ rule: "dynamic", name, message, severity, hint }, offset);
  }
}

function _hint(alternatives: readonly string[] | undefined): string {
  return alternatives?.length
    ? `Use ${alternatives.join(" or ")}.`
    : "Do without.";
}

function _above<T>(
  name: string,
  separator: string,
  find: (name: string) => T | undefined,
): T | undefined {
  for (let one = name;;) {
    const found = find(one);
    if (found !== undefined) return found;
    const cut = one.lastIndexOf(separator);
    if (cut < 0) return undefined;
    one = one.slice(0, cut);
  }
}

/** Most answers that are remembered; names come from the code, which could have any number. */
const _rememberedMax = 5_000;

function _remembered<T>(
  known: Map<string, T>,
  name: string,
  find: () => T,
): T {
  const answer = known.get(name);
  if (answer !== undefined || known.has(name)) return answer as T;
  if (known.size >= _rememberedMax) known.clear();
  const fresh = find();
  known.set(name, fresh);
  return fresh;
}
