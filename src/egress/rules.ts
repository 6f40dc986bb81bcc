import { invalid } from "../check.ts";
import type { NetRule } from "../options.ts";
import { canonicalAddress } from "./address.ts";

/** A rule of `rights.net`, taken apart. */
export interface Rule {
  /** Lower case; an address in its canonical form; what follows `*.` of a wildcard. */
  readonly host: string;
  /** Whether it is for names below `host`. */
  readonly below: boolean;
  /** Whether `host` is an address. */
  readonly address: boolean;
  /** The port; undefined is any. */
  readonly port: number | undefined;
  /** Methods in upper case; undefined is any. */
  readonly methods: readonly string[] | undefined;
  /** Beginning of the path; undefined is any. */
  readonly path: string | undefined;
}

/** Takes a rule apart that has to be one; `name` is the option's. */
export function ruleOf(rule: string | NetRule, name: string): Rule {
  const parsed = parseRule(rule);
  if (parsed) return parsed;
  const host = typeof rule === "string" ? rule : rule.host;
  const cure = 'Write "example.com", "*.example.com" or "example.com:443".';
  throw invalid(name, `${JSON.stringify(host)} is no host`, cure);
}

/** Takes a rule apart; undefined when its host is none. */
export function parseRule(rule: string | NetRule): Rule | undefined {
  const { host: text, methods, path } = typeof rule === "string"
    ? { host: rule, methods: undefined, path: undefined }
    : rule;
  const parts = /^(\[[0-9A-Fa-f:.]+\]|[^:[\]/@?#\s]+)(?::(\d{1,5}))?$/.exec(
    text,
  );
  if (!parts) return undefined;
  const [, name, digits] = parts as unknown as [string, string, string?];
  const port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined;
  const below = name.startsWith("*.");
  const host = canonicalHost(below ? name.slice(2) : name);
  if (host === undefined) return undefined;
  const address = canonicalAddress(host) !== undefined;
  if (below && address) return undefined;
  const upper = methods?.map((method) => method.toUpperCase());
  return { host, below, address, port, methods: upper, path };
}

/** A host as it is compared: names as URLs have them, addresses canonical; undefined when it is none. */
export function canonicalHost(host: string): string | undefined {
  const address = canonicalAddress(host);
  if (address !== undefined) return address;
  if (!URL.canParse(`http://${host}/`)) return undefined;
  const url = new URL(`http://${host}/`);
  if (url.username || url.port || url.pathname !== "/") return undefined;
  // A name with a dot behind it is the same name, and would pass by a list of names.
  const name = url.hostname.replace(/\.$/, "");
  if (!/^[a-z0-9_.-]+$/.test(name)) return undefined;
  return canonicalAddress(name) ?? name;
}

/** The port that a URL means. */
export function portOf(url: URL): number {
  return url.port ? Number(url.port) : url.protocol === "https:" ? 443 : 80;
}

/** Whether a rule lets a request through, as far as the URL says. */
export function allows(rule: Rule, method: string, url: URL): boolean {
  if (!namesHost(rule, canonicalHost(url.hostname), portOf(url))) return false;
  if (rule.methods && !rule.methods.includes(method)) return false;
  return rule.path === undefined || _begins(url.pathname, rule.path);
}

/** Whether a rule names a host and port. */
export function namesHost(
  rule: Rule,
  host: string | undefined,
  port: number,
): boolean {
  if (rule.port !== undefined && rule.port !== port) return false;
  return rule.below
    ? host !== undefined && host.endsWith(`.${rule.host}`)
    : host === rule.host;
}

/** `/v1` stands for itself and what is below it, `/v1/` for what is below it. */
function _begins(path: string, prefix: string): boolean {
  // Servers differ in what they take these for.
  if (/%2f|%5c|\\/i.test(path)) return false;
  if (prefix.endsWith("/")) return path.startsWith(prefix);
  return path === prefix || path.startsWith(`${prefix}/`);
}
