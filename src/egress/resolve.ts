import { lookup } from "node:dns/promises";
import { canonicalAddress, notPublic } from "./address.ts";
import { namesHost, type Rule } from "./rules.ts";

/** Finds the addresses of a name. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/** As the host's programs find them, its own list of hosts included. */
export const systemResolve: Resolve = async (host) =>
  (await lookup(host, { all: true })).map(({ address }) => address);

const _pinnedMs = 300_000;

/** Addresses that may be connected to. A name keeps what it was resolved to, so that a later answer cannot move it. */
export class Addresses {
  readonly #rules: readonly Rule[];
  readonly #resolve: Resolve;
  readonly #pinned = new Map<
    string,
    { readonly found: Promise<readonly string[]>; readonly untilMs: number }
  >();

  /** Addresses under the rules of a session. */
  constructor(rules: readonly Rule[], resolve: Resolve) {
    this.#rules = rules;
    this.#resolve = resolve;
  }

  /** Addresses of a canonical host that may be connected to; a string says why there is none. */
  async of(host: string, port: number): Promise<readonly string[] | string> {
    const literal = canonicalAddress(host);
    let found: readonly string[];
    try {
      found = literal === undefined ? await this.#pin(host) : [literal];
    } catch (error) {
      const { code, message } = error as { code?: string; message?: string };
      return `${host} cannot be resolved (${code ?? message})`;
    }
    const good: string[] = [];
    let refusal = `${host} has no address`;
    for (const address of found) {
      const why = this.#named(address, port) ? undefined : notPublic(address);
      if (why === undefined) good.push(address);
      else refusal = `${address}, an address of ${host}, is refused, as ${why}`;
    }
    return good.length ? good : refusal;
  }

  #named(address: string, port: number): boolean {
    const canonical = canonicalAddress(address);
    return this.#rules.some((rule) =>
      rule.address && namesHost(rule, canonical, port)
    );
  }

  #pin(host: string): Promise<readonly string[]> {
    const nowMs = performance.now();
    const pinned = this.#pinned.get(host);
    if (pinned && pinned.untilMs > nowMs) return pinned.found;
    const found = this.#resolve(host);
    this.#pinned.set(host, { found, untilMs: nowMs + _pinnedMs });
    found.catch(() => this.#pinned.delete(host));
    return found;
  }
}
