import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { clearInterval, setInterval } from "node:timers";
import type { Channel } from "../box.ts";
import type { Cluster } from "./cluster.ts";
import { ApiFailure, failureOf } from "./failure.ts";

/** What of `ws` is used; it has no types of its own. */
interface _Socket {
  readonly bufferedAmount: number;
  on(event: "open" | "pong", listener: () => void): void;
  on(event: "message", listener: (data: Buffer) => void): void;
  on(event: "close", listener: () => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  on(
    event: "unexpected-response",
    listener: (request: { destroy(): void }, answer: IncomingMessage) => void,
  ): void;
  send(data: Buffer, done: (error?: Error) => void): void;
  ping(): void;
  pause(): void;
  resume(): void;
  terminate(): void;
}

type _Ws = {
  WebSocket: new (
    url: string,
    protocols: readonly string[],
    options: unknown,
  ) => _Socket;
};

// Not named in the import itself, so that Deno does not download it for those who use another backend.
const _package = "ws";

/** Streams of one connection, by the number that each message begins with. */
const _input = 0, _output = 1, _error = 2, _status = 3, _closed = 255;

/** Output that nobody has taken yet; beyond it the connection is paused, in bytes. */
const _ahead = 1 << 20;
/** Input that the socket has not taken yet; beyond it `write` waits, in bytes. */
const _behind = 1 << 20;
/** One message, in bytes. */
const _messageBytes = 1 << 18;
const _complaintBytes = 4096;
/** A connection is asked for a sign of life every 10 s, and given up without any for 30 s. */
const _beatMs = 10_000, _deadMs = 30_000;

/** How the process of an exec ended, as the API server says. */
export interface ExecStatus {
  /** Its exit code; null when it could not be started or the connection broke. */
  readonly exitCode: number | null;
  /** Why there is no exit code. */
  readonly message: string;
}

/** A connection to a process of a pod. */
export interface PodChannel extends Channel {
  /** Of an exec: how the process ended; settles with the output's end. */
  readonly status: Promise<ExecStatus>;
  /** Ends standard input alone. */
  endInput(): void;
}

/** The library's own Exec and Attach hold nobody back and notice no dead connection, so `ws` is used without them. */
export async function connect(
  cluster: Cluster,
  path: string,
  query: readonly (readonly [string, string])[],
  call: { signal?: AbortSignal | undefined; timeoutMs?: number } = {},
): Promise<PodChannel> {
  const { WebSocket } = await import(_package) as _Ws;
  const { server } = cluster;
  const search = new URLSearchParams(query.map(([key, value]) => [key, value]));
  const url = `${server.replace(/^http/, "ws")}${path}?${search}`;
  const protocols = ["v5.channel.k8s.io", "v4.channel.k8s.io"];
  const socket = new WebSocket(url, protocols, {
    ...await cluster.connection(),
    perMessageDeflate: false,
    maxPayload: 16 << 20,
  });
  const channel = new _PodChannel(socket);
  const { signal, timeoutMs = 20_000 } = call;
  await new Promise<void>((resolve, reject) => {
    const fail = (error: ApiFailure) => {
      settle();
      channel.close();
      reject(error);
    };
    const abort = () =>
      fail(new ApiFailure(0, "Aborted", "the caller aborted it"));
    const timer = setTimeout(() => {
      const said = `it did not answer in ${timeoutMs / 1000} s`;
      fail(new ApiFailure(0, "Timeout", said));
    }, timeoutMs);
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    };
    socket.on("open", () => {
      settle();
      resolve();
    });
    socket.on("error", (error) => {
      fail(new ApiFailure(0, "Network", error.message || "no connection"));
    });
    socket.on("unexpected-response", (request, answer) => {
      let text = "";
      answer.on("data", (chunk) => text.length < 4096 && (text += chunk));
      answer.on("close", () => {
        fail(failureOf(answer.statusCode ?? 0, text));
        request.destroy();
      });
    });
    if (signal?.aborted) return abort();
    signal?.addEventListener("abort", abort);
  });
  return channel;
}

class _PodChannel implements PodChannel {
  readonly output: AsyncIterable<Uint8Array>;
  readonly status: Promise<ExecStatus>;
  readonly #socket: _Socket;
  #chunks: Uint8Array[] = [];
  #held = 0;
  #paused = false;
  #over = false;
  #complaint = Buffer.alloc(0);
  #wake: (() => void) | undefined;
  #ended!: (status: ExecStatus) => void;
  #heard = performance.now();
  readonly #beat: ReturnType<typeof setInterval>;
  readonly #waiting = new Set<(error: Error) => void>();

  constructor(socket: _Socket) {
    this.#socket = socket;
    this.status = new Promise((resolve) => this.#ended = resolve);
    this.output = this.#read();
    socket.on("message", (data) => this.#take(data));
    socket.on("close", () => this.#end());
    socket.on("error", () => this.#end());
    socket.on("pong", () => void (this.#heard = performance.now()));
    this.#beat = setInterval(() => this.#sign(), _beatMs);
    this.#beat.unref();
  }

  complaint(): string {
    return this.#complaint.toString("utf8");
  }

  /** All of it is handed over at once, so that what another writes meanwhile comes behind it. */
  async write(bytes: Uint8Array): Promise<void> {
    const sent: Promise<void>[] = [];
    for (let at = 0; at < bytes.byteLength; at += _messageBytes) {
      sent.push(this.#send(_input, bytes.subarray(at, at + _messageBytes)));
    }
    await Promise.all(sent);
  }

  endInput(): void {
    this.#send(_closed, new Uint8Array([_input])).catch(() => {});
  }

  close(): void {
    this.#end();
    this.#chunks = [];
    this.#socket.terminate();
  }

  #send(stream: number, bytes: Uint8Array): Promise<void> {
    if (this.#over) return Promise.reject(_gone());
    const message = Buffer.allocUnsafe(bytes.byteLength + 1);
    message[0] = stream;
    message.set(bytes, 1);
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      this.#socket.send(message, (error) => {
        this.#waiting.delete(reject);
        if (error) reject(_gone(error));
        else resolve();
      });
      if (this.#socket.bufferedAmount < _behind) resolve();
    });
  }

  #take(data: Buffer): void {
    this.#heard = performance.now();
    const bytes = data.subarray(1);
    if (data.byteLength === 0 || bytes.byteLength === 0 || this.#over) return;
    switch (data[0]) {
      case _output:
        this.#chunks.push(bytes);
        this.#held += bytes.byteLength;
        if (this.#held > _ahead && !this.#paused) {
          this.#paused = true;
          this.#socket.pause();
        }
        this.#wake?.();
        break;
      case _error:
        this.#complaint = Buffer.concat([this.#complaint, bytes])
          .subarray(-_complaintBytes);
        break;
      case _status:
        this.#ended(_statusOf(bytes.toString("utf8")));
        this.#end();
        this.#socket.terminate();
        break;
    }
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk) {
        this.#held -= chunk.byteLength;
        if (this.#paused && this.#held <= _ahead / 2) {
          this.#paused = false;
          this.#heard = performance.now();
          this.#socket.resume();
        }
        yield chunk;
      } else if (this.#over) return;
      else await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  /** A paused connection cannot be heard, so it is not judged. */
  #sign(): void {
    if (this.#paused) return;
    if (performance.now() - this.#heard > _deadMs) {
      this.#end();
      this.#socket.terminate();
      return;
    }
    try {
      this.#socket.ping();
    } catch {
      // Not open yet.
    }
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#beat);
    for (const reject of this.#waiting) reject(_gone());
    this.#waiting.clear();
    this.#ended({ exitCode: null, message: "the connection ended" });
    this.#wake?.();
  }
}

function _gone(cause?: Error): Error {
  return new Error(
    "Cannot write to the pod: the connection is gone. Start another.",
    cause ? { cause } : undefined,
  );
}

function _statusOf(text: string): ExecStatus {
  try {
    const { status, message, details } = JSON.parse(text) as {
      status?: string;
      message?: string;
      details?: { causes?: { reason?: string; message?: string }[] };
    };
    if (status === "Success") return { exitCode: 0, message: "" };
    const code = details?.causes?.find(({ reason }) => reason === "ExitCode");
    const exitCode = code ? Number(code.message) : NaN;
    return Number.isInteger(exitCode)
      ? { exitCode, message: "" }
      : { exitCode: null, message: String(message ?? "no reason given") };
  } catch {
    return { exitCode: null, message: "the API server's status is no JSON" };
  }
}
