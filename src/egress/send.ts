import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import type { Readable } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import type { Header } from "./secrets.ts";

/** One request to one server, as it is sent. */
export interface Hop {
  /** Method, in upper case. */
  readonly method: string;
  /** Where to. */
  readonly url: URL;
  /** Headers but for those that say how it is transported. */
  readonly headers: readonly Header[];
  /** Body. */
  readonly body: Uint8Array | undefined;
  /** Where the host is connected to; others are not looked up. */
  readonly addresses: readonly string[];
  /** Body of the answer at most, in bytes. */
  readonly maxBytes: number;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** What a server answered. */
export interface Answer {
  /** Status code. */
  readonly status: number;
  /** Status text. */
  readonly statusText: string;
  /** Headers, without how the body was coded. */
  readonly headers: readonly Header[];
  /** Body, decoded. */
  readonly body: Uint8Array;
  /** The address that answered. */
  readonly address: string | undefined;
}

/** The answer would be longer than it may be. */
export class TooLong extends Error {}

/** Sends a request and reads its answer; follows nothing. */
export async function send(hop: Hop): Promise<Answer> {
  const { url, method, addresses, signal, body } = hop;
  const { request } = url.protocol === "https:"
    ? await import("node:https")
    : await import("node:http");
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const message = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request({
      method,
      host: isIP(host) ? addresses[0]! : host,
      port: url.port || undefined,
      path: url.pathname + url.search,
      headers: [
        ["host", url.host],
        ["accept-encoding", "gzip, deflate, br"],
        ["connection", "close"],
        ...(body ? [["content-length", String(body.byteLength)]] : []),
        ...hop.headers,
      ].flat(),
      agent: false,
      signal,
      lookup: (_host, options, answer) => {
        const all = addresses.map((address) => ({
          address,
          family: isIP(address),
        }));
        if (options.all) answer(null, all);
        else answer(null, all[0]!.address, all[0]!.family);
      },
    }, resolve);
    outgoing.on("error", reject);
    outgoing.end(body);
  });
  try {
    const address = message.socket?.remoteAddress;
    return {
      status: message.statusCode ?? 0,
      statusText: message.statusMessage ?? "",
      headers: _headers(message),
      body: await _whole(_decoded(message, method), hop.maxBytes),
      address,
    };
  } finally {
    message.destroy();
  }
}

const _transport = new Set([
  "connection",
  "keep-alive",
  "transfer-encoding",
  "content-encoding",
  "content-length",
  "upgrade",
]);

function _headers({ rawHeaders }: IncomingMessage): Header[] {
  const headers: Header[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase();
    if (!_transport.has(name)) headers.push([name, rawHeaders[at + 1]!]);
  }
  return headers;
}

function _decoded(message: IncomingMessage, method: string): Readable {
  const coding = (message.headers["content-encoding"] ?? "").toLowerCase();
  const { statusCode = 0 } = message;
  const empty = method === "HEAD" || statusCode === 204 || statusCode === 304;
  if (coding === "" || coding === "identity" || empty) return message;
  const decoder = coding === "gzip" || coding === "x-gzip"
    ? createGunzip()
    : coding === "deflate"
    ? createInflate()
    : coding === "br"
    ? createBrotliDecompress()
    : undefined;
  if (!decoder) throw new Error(`the answer is coded as ${coding}`);
  message.on("error", (error) => decoder.destroy(error));
  return message.pipe(decoder);
}

async function _whole(stream: Readable, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new TooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
