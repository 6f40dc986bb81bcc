import { Buffer } from "node:buffer";
import type { ToolReply } from "../backends/backend.ts";
import type { EgressEntry } from "../result.ts";
import { type Egress, EgressRefusal, type GuestRequest } from "./egress.ts";
import type { Header } from "./secrets.ts";

/** The name under which guests send requests; no tool of a user can have it. */
export const egressCall = "mote:fetch";

const _decoder = new TextDecoder("utf-8", { fatal: true });

/** Answers a guest's call for a request; never rejects. */
export async function answerEgress(
  egress: Egress,
  input: Uint8Array,
  timeMs: number,
  runEnded: AbortSignal,
  log: EgressEntry[],
): Promise<ToolReply> {
  const request = _request(input);
  if (!request) {
    return { error: "input", message: "this is no request of a guest" };
  }
  const late = AbortSignal.timeout(timeMs);
  const signal = AbortSignal.any([runEnded, late]);
  try {
    const { body, ...head } = await egress.fetch(request, signal, log);
    const coded = Buffer.from(body).toString("base64");
    return { json: JSON.stringify({ ...head, body: coded }) };
  } catch (error) {
    if (late.aborted) {
      const message = `it took longer than ${timeMs} ms (limits.toolTimeMs)`;
      return { error: "failed", message };
    }
    if (error instanceof EgressRefusal) {
      return { error: "failed", message: error.message };
    }
    return { error: "failed", message: `it failed: ${String(error)}` };
  }
}

/** What the guest's side sends; undefined for anything else. */
function _request(input: Uint8Array): GuestRequest | undefined {
  let value: unknown;
  try {
    value = JSON.parse(_decoder.decode(input));
  } catch {
    return undefined;
  }
  const { method, url, headers, body, redirect } = (value ?? {}) as Record<
    string,
    unknown
  >;
  if (typeof method !== "string" || !/^[A-Za-z]{1,20}$/.test(method)) {
    return undefined;
  }
  if (/^(connect|trace)$/i.test(method) || typeof url !== "string") {
    return undefined;
  }
  const pairs = headers ?? [];
  if (!Array.isArray(pairs) || !pairs.every(_isHeader)) return undefined;
  if (body !== undefined && body !== null && typeof body !== "string") {
    return undefined;
  }
  if (redirect !== "manual" && redirect !== "error" && redirect !== "follow") {
    return undefined;
  }
  return {
    method: method.toUpperCase(),
    url,
    headers: pairs,
    body: typeof body === "string" ? Buffer.from(body, "base64") : undefined,
    redirect,
  };
}

function _isHeader(pair: unknown): pair is Header {
  return Array.isArray(pair) && pair.length === 2 &&
    pair.every((part) => typeof part === "string");
}
