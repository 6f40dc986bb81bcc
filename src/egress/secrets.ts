import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import type { Secret } from "../options.ts";
import {
  canonicalHost,
  namesHost,
  portOf,
  type Rule,
  ruleOf,
} from "./rules.ts";

interface _Held {
  readonly name: string;
  readonly value: string;
  /** What the guest has instead. */
  readonly stand: string;
  readonly hosts: readonly Rule[];
}

/** A header. */
export type Header = readonly [name: string, value: string];

/** Puts secrets into what leaves, and takes them out of what comes back. */
export class Secrets {
  readonly #held: readonly _Held[];

  /** Secrets of one session; each gets a new stand-in. */
  constructor(secrets: Readonly<Record<string, Secret>>) {
    this.#held = Object.entries(secrets).map(([name, { hosts, value }]) => ({
      name,
      value,
      stand: `secret_${name}_${randomBytes(16).toString("hex")}`,
      hosts: hosts.map((host) => ruleOf(host, `secrets.${name}.hosts`)),
    }));
  }

  /** What the guest has in its environment: each secret's name with its stand-in. */
  get environment(): Record<string, string> {
    return Object.fromEntries(
      this.#held.map(({ name, stand }) => [name, stand]),
    );
  }

  /** Headers as they are sent to a URL; a string says why they may not be. */
  fill(headers: readonly Header[], url: URL): Header[] | string {
    const filled: Header[] = [];
    for (const [name, value] of headers) {
      const basic = /^(Basic\s+)([A-Za-z0-9+/]+={0,2})$/i.exec(value);
      const text = basic ? Buffer.from(basic[2]!, "base64").toString() : value;
      let sent = text;
      for (const held of this.#held) {
        if (!sent.includes(held.stand)) continue;
        const refusal = this.#refusal(held, url);
        if (refusal !== undefined) return refusal;
        sent = sent.replaceAll(held.stand, held.value);
      }
      if (sent === text) filled.push([name, value]);
      else if (!basic) filled.push([name, sent]);
      else {
        const coded = Buffer.from(sent).toString("base64");
        filled.push([name, basic[1]! + coded]);
      }
    }
    return filled;
  }

  #refusal({ name, hosts }: _Held, url: URL): string | undefined {
    const host = canonicalHost(url.hostname);
    const rule = hosts.find((one) => namesHost(one, host, portOf(url)));
    if (!rule) return `the secret ${name} is not for ${url.host}`;
    // Whoever names an address and port without TLS has said that it may be read on the way.
    const open = rule.address && rule.port !== undefined;
    return url.protocol === "https:" || open
      ? undefined
      : `the secret ${name} would be sent unencrypted`;
  }

  /** Text that came back, with stand-ins for secrets. */
  hideText(text: string): string {
    for (const { value, stand } of this.#held) {
      text = text.replaceAll(value, stand);
    }
    return text;
  }

  /** Bytes that came back, with stand-ins for secrets. */
  hide(bytes: Uint8Array): Uint8Array {
    for (const { value, stand } of this.#held) {
      bytes = _replaced(bytes, Buffer.from(value), Buffer.from(stand));
    }
    return bytes;
  }
}

function _replaced(bytes: Uint8Array, from: Buffer, to: Buffer): Uint8Array {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [];
  let at = 0;
  for (let found; (found = whole.indexOf(from, at)) >= 0;) {
    parts.push(whole.subarray(at, found), to);
    at = found + from.length;
  }
  return parts.length ? Buffer.concat([...parts, whole.subarray(at)]) : bytes;
}
