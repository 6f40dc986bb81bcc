import http from "node:http";
import https from "node:https";
import type { Duplex } from "node:stream";
import { inspect } from "node:util";
import Dockerode from "dockerode";
import { SandboxError } from "../../../errors.ts";
import { throwIfAborted } from "../../../host_error.ts";
import type { EngineApi } from "./api.ts";
import type { Endpoint, EngineName } from "./endpoint.ts";
import { engineError } from "./faults.ts";

/** How a call is made. */
export interface CallLimits {
  /** What it is for, as in "start a container". */
  readonly action: string;
  /** How long it may take, in ms. @default 30_000 */
  readonly timeMs?: number | undefined;
  /** Cancels it. */
  readonly signal?: AbortSignal | undefined;
}

/** A connection to an engine; it keeps no process alive by itself. */
export class Client {
  /** Which engine. */
  readonly engine: EngineName;
  /** Where it listens. */
  readonly endpoint: Endpoint;
  /** Its API. */
  readonly docker: EngineApi;
  readonly #agent: http.Agent;

  /** Connects when it is first used. */
  constructor(engine: EngineName, endpoint: Endpoint) {
    this.engine = engine;
    this.endpoint = endpoint;
    const { at } = endpoint;
    const tls = "host" in at ? at.tls : undefined;
    // Requests follow each other closely; a new connection for each would cost more than most of them.
    const kept = { keepAlive: true, maxSockets: Infinity, maxFreeSockets: 4 };
    this.#agent = tls
      ? new https.Agent({ ...kept, rejectUnauthorized: tls.verify })
      : new http.Agent(kept);
    // The modem prepares a description of every request for its debug log, whole agents with their sockets included.
    Object.assign(this.#agent, { [inspect.custom]: () => "Agent" });
    const none = {
      host: undefined,
      port: undefined,
      socketPath: undefined,
      pathPrefix: "/",
      username: undefined,
      timeout: undefined,
      ca: tls?.ca,
      cert: tls?.cert,
      key: tls?.key,
    };
    try {
      const Docker = Dockerode as unknown as new (options: object) => EngineApi;
      this.docker = new Docker({
        // What is not said here would be taken from the environment.
        ...none,
        ...at,
        protocol: tls ? "https" : "http",
        agent: this.#agent,
      });
    } catch (error) {
      throw engineError(engine, endpoint, `reach ${engine}`, error, {
        code: "BACKEND_UNAVAILABLE",
        cure: "Correct or unset DOCKER_HOST and DOCKER_CERT_PATH",
      });
    }
  }

  /** Makes a call that ends in bounded time, whatever the engine does. */
  async bounded<T>(
    { action, timeMs = 30_000, signal }: CallLimits,
    call: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    throwIfAborted(signal, action);
    const end = new AbortController();
    let stop!: (error: unknown) => void;
    const stopped = new Promise<never>((_, reject) => stop = reject);
    const late = setTimeout(() => {
      const cure = `Check that ${this.engine} is not overloaded`;
      const state = `${this.engine} gave no answer within ${timeMs} ms`;
      const message = `Cannot ${action}: ${state}. ${cure}.`;
      stop(new SandboxError("BACKEND_UNAVAILABLE", message));
      end.abort();
    }, timeMs);
    const abort = () => {
      try {
        throwIfAborted(signal, action);
      } catch (error) {
        stop(error);
      }
      end.abort();
    };
    signal?.addEventListener("abort", abort, { once: true });
    try {
      const called = call(end.signal);
      called.catch(() => {});
      return await Promise.race([called, stopped]);
    } finally {
      clearTimeout(late);
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Begins a call after which the connection carries bytes both ways. */
  hijack(path: string, body: unknown, limits: CallLimits): Promise<Duplex> {
    return this.bounded(
      limits,
      (abortSignal) =>
        new Promise<Duplex>((done, fail) => {
          this.docker.modem.dial({
            path,
            method: "POST",
            hijack: true,
            isStream: true,
            // Of known length and as it is: Podman takes more of the request for the first input.
            file: Buffer.from(body === undefined ? "" : JSON.stringify(body)),
            headers: { "Content-Type": "application/json" },
            abortSignal: undefined,
            statusCodes: { 101: true, 200: true },
          }, (error: unknown, stream: unknown) => {
            if (error) return fail(error);
            const duplex = stream as Duplex;
            // Too late: nobody waits for it any longer.
            if (abortSignal.aborted) return void duplex.destroy();
            if (typeof duplex.write === "function") return done(duplex);
            duplex.destroy();
            fail(new Error("it does not hand over the connection"));
          });
        }),
    );
  }

  /** The error for something that the engine refused, or could not be asked. */
  fault(
    action: string,
    error: unknown,
    refused?: Parameters<typeof engineError>[4],
  ): unknown {
    return engineError(this.engine, this.endpoint, action, error, refused);
  }

  /** Closes connections that nobody uses. */
  close(): void {
    this.#agent.destroy();
  }
}
