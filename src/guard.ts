import { SandboxError, type Violation } from "./errors.ts";
import type { LanguageData } from "./languages/language.ts";
import type { ParsedOptions } from "./options.ts";
import type { Policy, Verdict } from "./policy/policy.ts";
import { unsupported } from "./support.ts";

/** Keeps a session's policy: nothing begins that it refuses. */
export interface Guard {
  /** Says what the policy finds. */
  look(code: string | Uint8Array): Promise<Verdict>;
  /** Hash of the policy, in hex. */
  readonly sha256: string;
  /** Throws POLICY_VIOLATION for code that must not run; what may run is known to later cells. Resolves to what was found and does not block. */
  admit(code: string | Uint8Array): Promise<readonly Violation[]>;
  /** Throws POLICY_VIOLATION for packages that must not be installed. */
  admitPackages(packages: readonly string[]): void;
  /** Forgets what earlier cells bound. */
  forget(): void;
}

/** The guard of a session; undefined where there is no policy. Refuses a policy that could not be kept. */
export async function guardOf(
  options: ParsedOptions,
  { name, code }: LanguageData,
): Promise<Guard | undefined> {
  const { securityPolicy, interactive = false } = options;
  if (securityPolicy === undefined) return undefined;
  if (options.guestBinaryPath !== undefined) {
    const state = "no policy knows what a guest of your own makes of code";
    throw unsupported(`${state}, so it cannot take securityPolicy`, []);
  }
  if (code !== "source") {
    const state = `${name} has no source that securityPolicy could check`;
    throw unsupported(state, []);
  }
  const { compilePolicy, knowsLanguage } = await import("./policy/policy.ts");
  if (!knowsLanguage(name)) {
    throw unsupported(`securityPolicy knows no rules for ${name}`, []);
  }
  const policy: Policy = await compilePolicy(securityPolicy, name);
  if (options.libraries?.length) {
    const verdict = policy.checkPackages(options.libraries);
    _admit(verdict, "open a session", "libraries");
  }
  return {
    look: (given) => policy.check(given),
    sha256: policy.sha256,
    async admit(given) {
      const verdict = await policy.check(given, interactive);
      _admit(verdict, "run code", "code");
      return verdict.violations;
    },
    forget: () => policy.forget(),
    admitPackages(packages) {
      _admit(policy.checkPackages(packages), "install packages", "packages");
    },
  };
}

function _admit({ safe, violations }: Verdict, action: string, what: string) {
  if (safe) return;
  const blocking = violations.filter(({ blocks }) => blocks);
  const [first, ...more] = blocking as [Violation, ...Violation[]];
  const place = first.line === undefined ? "" : `line ${first.line}: `;
  const rest = more.length === 0 ? "" : ` (and ${more.length} more)`;
  throw new SandboxError(
    "POLICY_VIOLATION",
    `Cannot ${action}: the policy refuses the ${what}: ${place}${first.message}${rest}. ${first.hint}`,
    { violations },
  );
}
