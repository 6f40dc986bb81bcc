import type { EgressEntry } from "../result.ts";
import type { NetRule, Secret } from "../options.ts";
import { Addresses, type Resolve, systemResolve } from "./resolve.ts";
import { allows, canonicalHost, portOf, type Rule, ruleOf } from "./rules.ts";
import { type Header, Secrets } from "./secrets.ts";
import { type Answer, send, TooLong } from "./send.ts";

/** A request as the guest makes it. */
export interface GuestRequest {
  /** Method. */
  readonly method: string;
  /** Where to. */
  readonly url: string;
  /** Headers. */
  readonly headers: readonly Header[];
  /** Body. */
  readonly body: Uint8Array | undefined;
  /** What is done when the server says to look elsewhere. */
  readonly redirect: "follow" | "manual" | "error";
}

/** What the guest gets. */
export interface GuestAnswer extends Omit<Answer, "address"> {
  /** Where it came from in the end. */
  readonly url: string;
  /** Whether that is elsewhere than it was asked for. */
  readonly redirected: boolean;
}

/** A request was not sent, or got no answer; the message is for the guest. */
export class EgressRefusal extends Error {}

const _redirectsMax = 10;
const _entriesMax = 10_000;

/** Sends a guest's requests where its rights let them. */
export class Egress {
  readonly #rules: readonly Rule[];
  readonly #addresses: Addresses;
  readonly #maxBytes: number;
  /** Its secrets. */
  readonly secrets: Secrets;

  /** Egress of one session. */
  constructor(
    rules: readonly (string | NetRule)[],
    secrets: Readonly<Record<string, Secret>>,
    maxBytes: number,
    resolve: Resolve = systemResolve,
  ) {
    this.#rules = rules.map((rule) => ruleOf(rule, "rights.net"));
    this.#addresses = new Addresses(this.#rules, resolve);
    this.#maxBytes = maxBytes;
    this.secrets = new Secrets(secrets);
  }

  /** Answers one request, following redirects; each hop is put into `log`. */
  async fetch(
    request: GuestRequest,
    signal: AbortSignal,
    log: EgressEntry[],
  ): Promise<GuestAnswer> {
    let { method, body } = request;
    let headers = _checkedHeaders(request.headers);
    let url = _url(request.url);
    for (let hops = 0;; hops++) {
      const answer = await this.#hop(method, url, headers, body, signal, log);
      const { address: _, ...rest } = answer;
      const location = _location(answer);
      if (location === undefined || request.redirect === "manual") {
        return { ...rest, url: url.href, redirected: hops > 0 };
      }
      if (request.redirect === "error") {
        throw new EgressRefusal(
          `${url.origin} redirects, which was not wanted`,
        );
      }
      if (hops === _redirectsMax) {
        throw new EgressRefusal(
          `it was redirected more than ${_redirectsMax} times`,
        );
      }
      const next = _url(location, url);
      const { status } = answer;
      if (
        status === 303 ? method !== "HEAD" : status < 303 && method === "POST"
      ) {
        method = "GET";
        body = undefined;
        headers = headers.filter(([name]) => !name.startsWith("content-"));
      }
      if (next.origin !== url.origin) {
        headers = headers.filter(([name]) => !_credentials.has(name));
      }
      url = next;
    }
  }

  async #hop(
    method: string,
    url: URL,
    headers: readonly Header[],
    body: Uint8Array | undefined,
    signal: AbortSignal,
    log: EgressEntry[],
  ): Promise<Answer> {
    const started = performance.now();
    const entry: EgressEntry = {
      method,
      url: url.origin + url.pathname,
      ms: 0,
      sentBytes: 0,
      receivedBytes: 0,
    };
    if (log.length < _entriesMax) log.push(entry);
    try {
      const answer = await this.#send(
        method,
        url,
        headers,
        body,
        signal,
        entry,
      );
      entry.status = answer.status;
      entry.receivedBytes = answer.body.byteLength;
      if (answer.address !== undefined) entry.address = answer.address;
      return answer;
    } catch (error) {
      const why = this.secrets.hideText(_why(error, this.#maxBytes));
      entry.refused = why;
      throw new EgressRefusal(`${method} ${entry.url}: ${why}`);
    } finally {
      entry.ms = performance.now() - started;
    }
  }

  async #send(
    method: string,
    url: URL,
    headers: readonly Header[],
    body: Uint8Array | undefined,
    signal: AbortSignal,
    entry: EgressEntry,
  ): Promise<Answer> {
    if (!this.#rules.some((rule) => allows(rule, method, url))) {
      throw new EgressRefusal(
        `rights.net does not name ${method} ${url.host}${url.pathname}`,
      );
    }
    const filled = this.secrets.fill(headers, url);
    if (typeof filled === "string") throw new EgressRefusal(filled);
    const host = canonicalHost(url.hostname)!;
    const addresses = await this.#addresses.of(host, portOf(url));
    if (typeof addresses === "string") throw new EgressRefusal(addresses);
    if (signal.aborted) throw new EgressRefusal("the run has ended");
    entry.sentBytes = body?.byteLength ?? 0;
    const maxBytes = this.#maxBytes;
    const answer = await send({
      method,
      url,
      headers: filled,
      body,
      addresses,
      maxBytes,
      signal,
    });
    return {
      ...answer,
      headers: answer.headers.map((
        [name, value],
      ) => [name, this.secrets.hideText(value)]),
      body: this.secrets.hide(answer.body),
    };
  }
}

const _credentials = new Set([
  "authorization",
  "cookie",
  "proxy-authorization",
]);

/** Headers that say how a request is transported are not the guest's to set. */
const _forbidden =
  /^(host|connection|content-length|transfer-encoding|keep-alive|upgrade|te|trailer|expect|accept-encoding|proxy-.*)$/;

function _checkedHeaders(headers: readonly Header[]): Header[] {
  const checked: Header[] = [];
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(lower)) {
      throw new EgressRefusal(`${JSON.stringify(name)} is no name of a header`);
    }
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) {
      throw new EgressRefusal(`the header ${lower} holds what a header cannot`);
    }
    if (_forbidden.test(lower)) {
      throw new EgressRefusal(`the header ${lower} is not the guest's to set`);
    }
    checked.push([lower, value]);
  }
  return checked;
}

function _url(text: string, base?: URL): URL {
  // URL drops these silently, and a rule would see another URL than the guest's.
  if (/[\r\n\t]/.test(text) || !URL.canParse(text, base)) {
    throw new EgressRefusal(`${JSON.stringify(text.slice(0, 200))} is no URL`);
  }
  const url = new URL(text, base);
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw new EgressRefusal(`${url.protocol} is neither http: nor https:`);
  }
  if (url.username || url.password) {
    throw new EgressRefusal("a URL may hold no credentials; send a header");
  }
  url.hash = "";
  return url;
}

function _location({ status, headers }: Answer): string | undefined {
  if (![301, 302, 303, 307, 308].includes(status)) return undefined;
  return headers.find(([name]) => name === "location")?.[1];
}

function _why(error: unknown, maxBytes: number): string {
  if (error instanceof EgressRefusal) return error.message;
  if (error instanceof TooLong) {
    return `the answer has more than ${maxBytes} bytes (limits.toolBytes)`;
  }
  const { code, message } = error as { code?: string; message?: string };
  return message || code || "it failed";
}
