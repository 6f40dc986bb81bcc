import type { ResolvedLimits } from "../../../options.ts";
import type { RunRequest, ToolReply } from "../../backend.ts";
import { FieldReader, FieldWriter, Malformed } from "./protocol.ts";

/** What a driver says, by number. */
const Say = { ready: 1, call: 2, done: 3 } as const;
/** What a driver is told. */
const Told = { turn: 1, reply: 2 } as const;
const _status = { ok: 0, failed: 1, input: 2, limit: 3 } as const;

const _headBytes = 9;
const _nameMax = 256;
const _wordsMax = 65_536;
const _openMax = 256;
const _encoder = new TextEncoder();
const _decoder = new TextDecoder();

/** How a driver's program ended. */
export interface Done {
  /** Exit code. */
  readonly exitCode: number;
  /** What nothing caught: a failure of a tool, too little memory, a full disk. */
  readonly flags: number;
  /** The call whose failure it was; 0 is none. */
  readonly call: number;
  /** Most memory of its own that it had, in bytes. */
  readonly peakBytes: number;
}

/** Bits of {@linkcode Done.flags}. */
export const Uncaught = { tool: 1, memory: 2, disk: 4 } as const;

/** A call that failed. */
export interface FailedCall {
  /** Its tool. */
  readonly tool: string;
  /** What the guest was told. */
  readonly message: string;
  /** Whether a limit stood in its way. */
  readonly limit: boolean;
}

/** What the driver's words lead to. */
export interface DriverEvents {
  /** It is about to run the code. */
  ready(): void;
  /** The code has ended; a living driver waits for more. */
  done(done: Done): void;
  /** Bytes for it. */
  send(bytes: Uint8Array): void;
}

/** The conversation with a driver, whose words are the guest's. */
export class DriverCalls {
  readonly #request: RunRequest;
  readonly #limits: ResolvedLimits;
  readonly #tools: readonly string[];
  readonly #events: DriverEvents;
  readonly #stop = new AbortController();
  readonly #head = new Uint8Array(_headBytes);
  #headBytes = 0;
  #body: Uint8Array | undefined;
  #bodyBytes = 0;
  #length = 0;
  #begun = 0;
  #open = 0;
  /** Calls that failed, by number. */
  readonly failed: Map<number, FailedCall> = new Map();
  /** Whether a limit stood in the way of a call. */
  limited = false;

  /** For one run. */
  constructor(
    request: RunRequest,
    limits: ResolvedLimits,
    tools: readonly string[],
    events: DriverEvents,
  ) {
    this.#request = request;
    this.#limits = limits;
    this.#tools = tools;
    this.#events = events;
  }

  /** The run is over: calls that go on are for nobody. */
  end(): void {
    this.#stop.abort();
  }

  /** Words of the driver, as they arrive. */
  take(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.byteLength;) {
      if (this.#headBytes < _headBytes) {
        const part = bytes.subarray(at, at + _headBytes - this.#headBytes);
        this.#head.set(part, this.#headBytes);
        this.#headBytes += part.byteLength;
        at += part.byteLength;
        if (this.#headBytes === _headBytes) this.#begin();
        continue;
      }
      const part = bytes.subarray(at, at + this.#length - this.#bodyBytes);
      this.#body?.set(part, this.#bodyBytes);
      this.#bodyBytes += part.byteLength;
      at += part.byteLength;
      if (this.#bodyBytes === this.#length) this.#finish();
    }
  }

  /** A word begins; the body of one that is too long is not kept. */
  #begin(): void {
    const view = new DataView(this.#head.buffer);
    this.#length = view.getUint32(0, true);
    const most = view.getUint8(4) === Say.call
      ? this.#limits.toolBytes + _nameMax + 2
      : _wordsMax;
    this.#bodyBytes = 0;
    this.#body = this.#length <= most
      ? new Uint8Array(this.#length)
      : undefined;
    if (this.#length === 0) this.#finish();
  }

  #finish(): void {
    const view = new DataView(this.#head.buffer);
    const kind = view.getUint8(4), id = view.getUint32(5, true);
    const body = this.#body;
    this.#headBytes = 0;
    this.#body = undefined;
    if (kind === Say.call) return void this.#call(id, body);
    if (!body) return;
    try {
      const reader = new FieldReader(body);
      if (kind === Say.ready) this.#events.ready();
      else if (kind === Say.done) {
        this.#events.done({
          exitCode: reader.u32() & 0xff,
          flags: reader.u32(),
          call: reader.u32(),
          peakBytes: reader.u64(),
        });
      }
    } catch (error) {
      // Anybody in the guest can write here, and harms only itself.
      if (!(error instanceof Malformed)) throw error;
    }
  }

  async #call(id: number, body: Uint8Array | undefined): Promise<void> {
    const { toolCalls, toolBytes } = this.#limits;
    let tool = "";
    let reply: ToolReply;
    const limit = (message: string): ToolReply => ({ error: "limit", message });
    const input = body && _callOf(body);
    if (++this.#begun > toolCalls) {
      reply = limit(`the run's ${toolCalls} tool calls are used up`);
    } else if (!body || (input && input.json.byteLength > toolBytes)) {
      reply = limit(`arguments larger than ${toolBytes} bytes`);
    } else if (!input) {
      reply = { error: "input", message: "the call has no name" };
    } else if (!this.#tools.includes(tool = input.name)) {
      reply = { error: "failed", message: `there is no tool ${tool}` };
    } else if (this.#open >= _openMax) {
      reply = limit(`more than ${_openMax} calls at a time`);
    } else {
      this.#open++;
      const signal = this.#stop.signal;
      reply = await this.#request.onCall(tool, input.json, signal, id);
      this.#open--;
    }
    if (this.#stop.signal.aborted) return;
    if ("error" in reply && reply.error !== "input") {
      const limited = reply.error === "limit";
      this.limited ||= limited;
      this.failed.set(id, { tool, message: reply.message, limit: limited });
    }
    const [status, text] = "json" in reply
      ? [_status.ok, reply.json]
      : [_status[reply.error], reply.message];
    this.#events.send(_word(Told.reply, id, status, text));
  }
}

/** Tells a living driver to run what is in its folder, with these arguments. */
export function turnWord(args: readonly string[]): Uint8Array {
  return _word(Told.turn, 0, 0, JSON.stringify(args));
}

function _word(
  kind: number,
  id: number,
  status: number,
  text: string,
): Uint8Array {
  const bytes = _encoder.encode(text);
  const head = new FieldWriter().u32(bytes.byteLength + 1).u8(kind).u32(id)
    .u8(status).done();
  const word = new Uint8Array(head.byteLength + bytes.byteLength);
  word.set(head);
  word.set(bytes, head.byteLength);
  return word;
}

function _callOf(
  body: Uint8Array,
): { name: string; json: Uint8Array } | undefined {
  const length = (body[0] ?? 0) | (body[1] ?? 0) << 8;
  if (length > _nameMax || body.byteLength < length + 2) return undefined;
  const name = _decoder.decode(body.subarray(2, 2 + length));
  return { name, json: body.subarray(2 + length) };
}
