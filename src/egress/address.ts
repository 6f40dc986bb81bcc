import { networkInterfaces } from "node:os";
import ipaddr from "ipaddr.js";

/** Services of clouds for their own machines that lie outside of the reserved ranges. */
const _metadata: ReadonlySet<string> = new Set(["168.63.129.16"]);

/** An address in the one form that it is compared in: IPv4 where it is one within IPv6. */
export function canonicalAddress(text: string): string | undefined {
  const bare = text.startsWith("[") && text.endsWith("]")
    ? text.slice(1, -1)
    : text;
  return ipaddr.isValid(bare) ? ipaddr.process(bare).toString() : undefined;
}

/** Why an address is refused unless it is named; undefined for one of the public network. */
export function notPublic(address: string): string | undefined {
  const canonical = canonicalAddress(address);
  if (canonical === undefined) return "it is no address";
  if (_metadata.has(canonical)) return "it belongs to a cloud's metadata";
  const range = ipaddr.parse(canonical).range();
  if (range !== "unicast") return `its range is ${_named[range] ?? range}`;
  return _ownAddresses().has(canonical)
    ? "it is an address of the host itself"
    : undefined;
}

const _named: Readonly<Record<string, string>> = {
  private: "private",
  uniqueLocal: "private",
  loopback: "the host's own",
  linkLocal: "link-local, where clouds have their metadata",
  carrierGradeNat: "the provider's own",
};

function _ownAddresses(): ReadonlySet<string> {
  const own = new Set<string>();
  for (const entries of Object.values(networkInterfaces())) {
    for (const { address } of entries ?? []) {
      own.add(canonicalAddress(address.split("%")[0]!) ?? address);
    }
  }
  return own;
}
