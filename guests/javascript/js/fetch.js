// fetch(): requests that the host sends, where its rights let it. Bodies are whole, not streams.
import { Buffer } from "buffer/";
import { define } from "./native.js";
import { ToolError, tools } from "./tools.js";

const CALL = "mote:fetch";
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

export class Headers {
  #pairs = new Map();
  constructor(init) {
    if (init === undefined || init === null) return;
    const pairs = typeof init[Symbol.iterator] === "function" ? init : Object.entries(init);
    for (const [name, value] of pairs) this.append(name, value);
  }
  append(name, value) {
    const key = clean(name);
    const text = String(value).trim();
    this.#pairs.set(key, this.#pairs.has(key) ? `${this.#pairs.get(key)}, ${text}` : text);
  }
  set(name, value) {
    this.#pairs.set(clean(name), String(value).trim());
  }
  get(name) {
    return this.#pairs.get(clean(name)) ?? null;
  }
  has(name) {
    return this.#pairs.has(clean(name));
  }
  delete(name) {
    this.#pairs.delete(clean(name));
  }
  forEach(each, self) {
    for (const [name, value] of this) each.call(self, value, name, this);
  }
  *entries() {
    yield* [...this.#pairs].sort(([a], [b]) => (a < b ? -1 : 1));
  }
  *keys() {
    for (const [name] of this) yield name;
  }
  *values() {
    for (const [, value] of this) yield value;
  }
  [Symbol.iterator]() {
    return this.entries();
  }
}

function clean(name) {
  if (!token.test(name)) throw new TypeError(`Invalid header name: ${name}`);
  return String(name).toLowerCase();
}

/** A body as bytes, and what it is. */
function extract(body) {
  if (body === undefined || body === null) return [null, undefined];
  if (body instanceof URLSearchParams) return [Buffer.from(String(body)), "application/x-www-form-urlencoded;charset=UTF-8"];
  if (body instanceof ArrayBuffer) return [Buffer.from(body.slice(0)), undefined];
  if (ArrayBuffer.isView(body)) return [Buffer.from(body.buffer.slice(body.byteOffset, body.byteOffset + body.byteLength)), undefined];
  return [Buffer.from(String(body)), "text/plain;charset=UTF-8"];
}

class Body {
  #bytes;
  #used = false;
  constructor(bytes) {
    this.#bytes = bytes;
  }
  get bodyUsed() {
    return this.#used;
  }
  #take() {
    if (this.#used) return Promise.reject(new TypeError("Body is unusable: Body has already been read"));
    this.#used = this.#bytes !== null;
    return Promise.resolve(this.#bytes ?? Buffer.alloc(0));
  }
  async bytes() {
    return new Uint8Array(await this.#take());
  }
  async arrayBuffer() {
    return (await this.bytes()).buffer;
  }
  async text() {
    return new TextDecoder().decode(await this.#take());
  }
  async json() {
    return JSON.parse(await this.text());
  }
  static copy(from) {
    if (from.#used) throw new TypeError("Response.clone: Body has already been consumed.");
    return from.#bytes;
  }
}

export class Response extends Body {
  #meta;
  constructor(body, init = {}) {
    const [bytes, type] = extract(body);
    super(bytes);
    const { status = 200, statusText = "", headers } = init;
    if (!Number.isInteger(status) || status < 200 || status > 599) throw new RangeError(`status ${status} is not from 200 to 599`);
    this.#meta = { status, statusText, headers: new Headers(headers), url: "", redirected: false };
    if (type && !this.headers.has("content-type")) this.headers.set("content-type", type);
  }
  get status() {
    return this.#meta.status;
  }
  get statusText() {
    return this.#meta.statusText;
  }
  get headers() {
    return this.#meta.headers;
  }
  get url() {
    return this.#meta.url;
  }
  get redirected() {
    return this.#meta.redirected;
  }
  get ok() {
    return this.status >= 200 && this.status < 300;
  }
  get type() {
    return this.url ? "basic" : "default";
  }
  clone() {
    const twin = new Response(Body.copy(this), { status: this.status, statusText: this.statusText, headers: this.headers });
    twin.#meta.url = this.url;
    twin.#meta.redirected = this.redirected;
    return twin;
  }
  static json(value, init = {}) {
    const headers = new Headers(init.headers);
    if (!headers.has("content-type")) headers.set("content-type", "application/json");
    return new Response(JSON.stringify(value), { ...init, headers });
  }
  static answered({ status, statusText, url, redirected, headers, body }) {
    const response = new Response(Buffer.from(body, "base64"), { status, statusText, headers });
    response.#meta.url = url;
    response.#meta.redirected = redirected;
    return response;
  }
}
const { answered } = Response;
delete Response.answered;

export class Request extends Body {
  #meta;
  constructor(input, init = {}) {
    const from = input instanceof Request ? input : undefined;
    const [given, type] = extract(init.body);
    const bytes = given ?? (from ? Body.copy(from) : null);
    super(bytes);
    const method = String(init.method ?? from?.method ?? "GET");
    const headers = new Headers(init.headers ?? from?.headers);
    if (type && !headers.has("content-type")) headers.set("content-type", type);
    this.#meta = {
      url: new URL(from?.url ?? String(input)).href,
      method: /^(get|head|post|put|delete|options|patch)$/i.test(method) ? method.toUpperCase() : method,
      headers,
      redirect: init.redirect ?? from?.redirect ?? "follow",
      signal: init.signal ?? from?.signal ?? AbortSignal.any([]),
    };
    if (bytes !== null && (this.method === "GET" || this.method === "HEAD")) {
      throw new TypeError("Request with GET/HEAD method cannot have body.");
    }
  }
  get url() {
    return this.#meta.url;
  }
  get method() {
    return this.#meta.method;
  }
  get headers() {
    return this.#meta.headers;
  }
  get redirect() {
    return this.#meta.redirect;
  }
  get signal() {
    return this.#meta.signal;
  }
  clone() {
    return new Request(this);
  }
}

async function fetch(input, init) {
  const request = new Request(input, init);
  const { signal } = request;
  signal.throwIfAborted();
  const bytes = request.method === "GET" || request.method === "HEAD" ? null : Buffer.from(await request.bytes());
  const call = tools[CALL]({
    method: request.method,
    url: request.url,
    headers: [...request.headers],
    body: bytes?.length ? bytes.toString("base64") : null,
    redirect: request.redirect,
  });
  const aborted = new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  try {
    return answered(await Promise.race([call, aborted]));
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    const unsaid = error.message.startsWith("there is no tool");
    const cause = new Error(unsaid ? "the sandbox has no network; its host names what it may reach in rights.net" : error.message);
    throw new TypeError(`fetch failed: ${cause.message}`, { cause });
  }
}

define({ fetch, Headers, Request, Response });
