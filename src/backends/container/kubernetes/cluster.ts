import type { Buffer } from "node:buffer";
import http from "node:http";
import https from "node:https";
import type { KubeConfig } from "@kubernetes/client-node";
import { findConfig, loadConfig, namespaceOf, noConfig } from "./config.ts";
import { ApiFailure, failureOf } from "./failure.ts";

/** One call to the API server. */
export interface Call {
  /** What the call does. @default "GET" */
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  /** Behind the path. */
  readonly query?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Cancels it. */
  readonly signal?: AbortSignal | undefined;
  /** Time until the answer is there, in ms. @default 20_000 */
  readonly timeoutMs?: number;
}

/** An answer of the API server is not larger, in bytes. */
const _answerBytes = 64 << 20;

/** A kept connection that the server had closed already; the call is made on another one, at last on a new one. */
const _stale = new Error("the kept connection is gone");

/** What `ws` needs beside the address. */
export type ConnectionOptions = https.RequestOptions;

/**
 * The API server of the current context. The library's own client opens a connection for each call and takes neither a
 * signal nor a time limit, so only its reading of kubeconfigs and its logins are used.
 */
export class Cluster {
  /** Where the API server is. */
  readonly server: string;
  /** The kubeconfig's context. */
  readonly context: string;
  /** The context's namespace. */
  readonly namespace: string;
  readonly #config: KubeConfig;
  #agent: http.Agent | undefined;
  #aheadMs = 0;

  private constructor(config: KubeConfig) {
    this.#config = config;
    this.server = config.getCurrentCluster()!.server.replace(/\/+$/, "");
    this.context = config.getCurrentContext();
    this.namespace = namespaceOf(config);
  }

  static #state: string | undefined;
  static #loaded: Promise<Cluster> | undefined;

  /** The cluster that the kubeconfig names now. */
  static async load(): Promise<Cluster> {
    const found = findConfig();
    if (!found) throw noConfig();
    if (Cluster.#loaded && Cluster.#state === found.state) {
      return await Cluster.#loaded;
    }
    Cluster.#state = found.state;
    const loading = loadConfig(found).then((config) => new Cluster(config));
    Cluster.#loaded = loading;
    try {
      return await loading;
    } catch (error) {
      if (Cluster.#loaded === loading) Cluster.#loaded = undefined;
      throw error;
    }
  }

  /** The time on the API server's clock, in ms since 1970, as its last answer said. */
  now(): number {
    return Date.now() + this.#aheadMs;
  }

  /** What a connection to the API server is made with: certificates, token, proxy. */
  async connection(): Promise<ConnectionOptions> {
    const options: ConnectionOptions = {};
    try {
      await this.#config.applyToHTTPSOptions(options);
    } catch (error) {
      throw new ApiFailure(0, "LoginFailed", (error as Error).message);
    }
    if (!this.#agent) {
      const agent = options.agent as http.Agent & {
        keepAlive?: boolean;
        options?: http.AgentOptions;
      };
      agent.keepAlive = true;
      if (agent.options) agent.options.keepAlive = true;
      this.#agent = agent;
    }
    return { ...options, agent: this.#agent };
  }

  /** Calls, and takes the answer as JSON; throws {@linkcode ApiFailure}. */
  async call<T>(path: string, call: Call = {}): Promise<T> {
    const limit = _timeLimit(call.timeoutMs ?? 20_000, call.signal);
    try {
      const response = await this.#send(path, call, limit.signal);
      const text = await _textOf(response);
      return JSON.parse(text) as T;
    } catch (error) {
      throw limit.explain(error);
    } finally {
      limit.clear();
    }
  }

  /** Calls, and hands out the answer as it comes. */
  async stream(path: string, call: Call): Promise<http.IncomingMessage> {
    const limit = _timeLimit(call.timeoutMs ?? 20_000, call.signal);
    try {
      return await this.#send(path, call, limit.signal);
    } catch (error) {
      throw limit.explain(error);
    } finally {
      limit.clear();
    }
  }

  async #send(
    path: string,
    call: Call,
    signal: AbortSignal,
  ): Promise<http.IncomingMessage> {
    const connection = await this.connection();
    let response: http.IncomingMessage | undefined;
    while (!response) {
      response = await this.#once(path, call, connection, signal)
        .catch((error) => {
          if (error !== _stale || signal.aborted) throw error;
          return undefined;
        });
    }
    const date = Date.parse(response.headers.date ?? "");
    if (!Number.isNaN(date)) this.#aheadMs = date - Date.now();
    if (response.statusCode! < 400) return response;
    throw failureOf(response.statusCode!, await _textOf(response));
  }

  #once(
    path: string,
    call: Call,
    connection: ConnectionOptions,
    signal: AbortSignal,
  ): Promise<http.IncomingMessage> {
    const query = call.query ? `?${new URLSearchParams(call.query)}` : "";
    const url = `${this.server}${path}${query}`;
    const body = call.body === undefined
      ? undefined
      : JSON.stringify(call.body);
    return new Promise((resolve, reject) => {
      const { request } = url.startsWith("https:") ? https : http;
      const sent = request(url, {
        ...connection,
        method: call.method ?? "GET",
        headers: {
          ...connection.headers as Record<string, string>,
          accept: "application/json",
          "user-agent": "mote",
          ...(body !== undefined && {
            "content-type": "application/json",
            "content-length": `${new TextEncoder().encode(body).byteLength}`,
          }),
        },
      });
      const abort = () => void sent.destroy(new Error("aborted"));
      sent.on("response", (response) => {
        response.once(
          "close",
          () => signal.removeEventListener("abort", abort),
        );
        resolve(response);
      });
      sent.on("error", (error) => {
        signal.removeEventListener("abort", abort);
        const { code = "" } = error as { code?: string };
        const stale = sent.reusedSocket &&
          ["ECONNRESET", "EPIPE"].includes(code);
        reject(stale ? _stale : error);
      });
      if (signal.aborted) return abort();
      signal.addEventListener("abort", abort);
      sent.end(body);
    });
  }
}

async function _textOf(response: http.IncomingMessage): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response as AsyncIterable<Buffer>) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > _answerBytes) {
      response.destroy();
      throw new ApiFailure(0, "TooLarge", "the answer is larger than 64 MiB");
    }
  }
  return text;
}

/** Both a time limit and the caller's signal, and what an error then means. */
function _timeLimit(timeoutMs: number, caller: AbortSignal | undefined) {
  const control = new AbortController();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    control.abort();
  }, timeoutMs);
  const abort = () => control.abort();
  if (caller?.aborted) abort();
  caller?.addEventListener("abort", abort);
  return {
    signal: control.signal,
    clear() {
      clearTimeout(timer);
      caller?.removeEventListener("abort", abort);
    },
    explain(error: unknown): unknown {
      if (error instanceof ApiFailure) return error;
      if (caller?.aborted) {
        return new ApiFailure(0, "Aborted", "the caller aborted it");
      }
      if (late) {
        const seconds = timeoutMs / 1000;
        return new ApiFailure(
          0,
          "Timeout",
          `it did not answer in ${seconds} s`,
        );
      }
      const { code, message } = error as { code?: string; message?: string };
      return new ApiFailure(
        0,
        code ?? "Network",
        message || code || "no answer",
      );
    },
  };
}
