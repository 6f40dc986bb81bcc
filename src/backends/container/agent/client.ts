import { SandboxError } from "../../../errors.ts";
import type { Box, Channel } from "../box.ts";
import { fileFault } from "./faults.ts";
import {
  Ask,
  FieldReader,
  FieldWriter,
  type Frame,
  frameBytes,
  FrameReader,
  Malformed,
  Tell,
  version,
} from "./protocol.ts";

/** Where a box has what. */
export interface Places {
  /** The workspace. */
  readonly sandbox: string;
  /** Libraries. */
  readonly libraries: string;
  /** What is the agent's own. */
  readonly agent: string;
  /** What a run has for itself; below the agent's. */
  readonly run: string;
  /** Temporary files. */
  readonly temporary: string;
}

/** Where a box of its own has what. */
export const ownPlaces: Places = {
  sandbox: "/sandbox",
  libraries: "/site-packages",
  agent: "/run/mote",
  run: "/run/mote/run",
  temporary: "/tmp",
};

/** Requests without an answer at a time; the agent holds as many answers in memory. */
const _openMax = 32;
/** Without a word for so long the agent ends everything. */
const _leaseMs = 60_000;
const _pingMs = 15_000;
const _answerMs = 120_000;
const _nothing = new Uint8Array(0);

/** Why the agent does not answer any more. */
export interface AgentLoss {
  /** What is wrong with what it sent, if that was it. */
  readonly nonsense?: string;
}

/** Takes frames of one run, or of one tunnel. */
export interface FrameTaker {
  /** A frame; may throw {@linkcode Malformed}. */
  take(frame: Frame): void;
  /** Nothing comes any more. */
  lost(loss: AgentLoss): void;
}

interface Pending {
  readonly parts: Uint8Array[];
  readonly resolve: (parts: Uint8Array[]) => void;
  readonly reject: (error: unknown) => void;
  readonly action: string;
  readonly mostBytes: number;
  bytes: number;
}

/** What the agent is told once. */
export interface AgentConfig {
  /** Whether it is the first process of a namespace of its own. */
  readonly alone: boolean;
  /** Whether programs may gain privileges. */
  readonly newPrivileges: boolean;
  /** Whether code can make sockets of networks; false where the engine cannot cut them off itself. */
  readonly sockets: boolean;
  /** Processes at a time, where the engine does not count them; 0 where it does. */
  readonly processes: number;
  /** Where it has what. */
  readonly places: Places;
}

/** A connection to an agent. */
export class AgentClient {
  readonly #channel: Channel;
  readonly #pending = new Map<number, Pending>();
  readonly #takers = new Map<number, FrameTaker>();
  readonly #waiting: (() => void)[] = [];
  readonly #timer: ReturnType<typeof setInterval>;
  #open = 0;
  /** A connection keeps the process alive from the start. */
  #held = true;
  #lastId = 0;
  #loss: AgentLoss | undefined;
  #hello: ((loss?: AgentLoss) => void) | undefined;
  #lost: (() => void) | undefined;
  /** Resolves when nothing comes any more. */
  readonly ended: Promise<void>;
  /** Takes what belongs to no run: tunnels. */
  tunnels: FrameTaker | undefined;

  private constructor(channel: Channel) {
    this.#channel = channel;
    this.ended = new Promise((resolve) => this.#lost = resolve);
    this.#timer = setInterval(
      () => this.send(Ask.ping, 0, _nothing),
      _pingMs,
    );
    _unref(this.#timer);
  }

  /** Waits for an agent's hello, `timeMs` at most, and tells it what it has to know. Throws {@linkcode AgentLoss} text. */
  static async connect(
    channel: Channel,
    config: AgentConfig,
    timeMs: number,
    signal?: AbortSignal,
  ): Promise<AgentClient> {
    const client = new AgentClient(channel);
    let timer: ReturnType<typeof setTimeout> | undefined;
    let abort = () => {};
    try {
      const problem = await new Promise<AgentLoss | undefined>((resolve) => {
        client.#hello = resolve;
        abort = () => resolve({ nonsense: "it was not waited for" });
        signal?.addEventListener("abort", abort);
        const late = `nothing came for ${timeMs} ms`;
        timer = setTimeout(() => resolve({ nonsense: late }), timeMs);
        client.#listen();
      });
      if (problem) throw new Error(problem.nonsense ?? "it ended at once");
      const { sandbox, libraries, run } = config.places;
      const fields = new FieldWriter().u32(_leaseMs).u8(
        (config.alone ? 1 : 0) | (config.newPrivileges ? 2 : 0) |
          (config.sockets ? 0 : 4),
      ).u32(config.processes).bytes(sandbox).bytes(libraries).bytes(run);
      await client.ask(Ask.config, fields, "open a session");
      return client;
    } catch (error) {
      client.close();
      throw error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Why nothing comes any more, if so. */
  get loss(): AgentLoss | undefined {
    return this.#loss;
  }

  /** A number for a run that is not in use. */
  nextId(): number {
    return this.#lastId = this.#lastId % 0x7fff_ffff + 1;
  }

  /** Whoever takes the frames of a run from here on. */
  route(id: number, taker: FrameTaker): void {
    if (this.#loss) taker.lost(this.#loss);
    else this.#takers.set(id, taker);
    this.#hold();
  }

  /** The run is over. */
  unroute(id: number): void {
    this.#takers.delete(id);
    this.#hold();
  }

  /** Keeps the process alive for as long as something goes on, and no longer. */
  #hold(): void {
    const busy = this.#pending.size + this.#takers.size > 0;
    if (busy === this.#held) return;
    this.#held = busy;
    if (busy) this.#channel.ref?.();
    else this.#channel.unref?.();
  }

  /** Sends a frame that has no answer of its own. */
  send(
    kind: number,
    id: number,
    fields: Uint8Array,
    bytes?: Uint8Array,
  ): Promise<void> {
    if (this.#loss) return Promise.resolve();
    return this.#channel.write(frameBytes(kind, id, fields, bytes))
      .catch(() => this.#lose({}));
  }

  /** Sends a request and waits for its answer; what the agent refuses becomes an error that begins "Cannot `action`". */
  async ask(
    kind: number,
    fields: FieldWriter,
    action: string,
    bytes?: Uint8Array,
    mostBytes = 2 << 20,
  ): Promise<Uint8Array[]> {
    if (this.#open >= _openMax) {
      await new Promise<void>((go) => this.#waiting.push(go));
    } else this.#open++;
    try {
      return await this.askNow(
        kind,
        this.nextId(),
        fields,
        action,
        bytes,
        mostBytes,
      );
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#open--;
    }
  }

  /** The same, ahead of those that wait for their turn: what is asked so one after the other is done in that order. */
  async askNow(
    kind: number,
    id: number,
    fields: FieldWriter,
    action: string,
    bytes?: Uint8Array,
    mostBytes = 2 << 20,
  ): Promise<Uint8Array[]> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      return await new Promise<Uint8Array[]>((resolve, reject) => {
        if (this.#loss) return reject(this.gone(action));
        const parts: Uint8Array[] = [];
        this.#pending.set(id, {
          parts,
          resolve,
          reject,
          action,
          mostBytes,
          bytes: 0,
        });
        this.#hold();
        const late = `it did not answer for ${_answerMs} ms`;
        timer = setTimeout(() => this.#lose({ nonsense: late }), _answerMs);
        this.send(kind, id, fields.done(), bytes);
      });
    } finally {
      clearTimeout(timer);
      this.#pending.delete(id);
      this.#hold();
    }
  }

  /** The error for what cannot be asked any more. */
  gone(action: string): SandboxError {
    return new AgentGone(action, this.#loss ?? {});
  }

  /** Ends the connection, and with it all that runs behind it. */
  close(): void {
    this.#lose({});
    this.#channel.close();
  }

  async #listen(): Promise<void> {
    const reader = new FrameReader();
    try {
      for await (const piece of this.#channel.output) {
        for (const frame of reader.take(piece)) this.#take(frame);
        if (this.#loss) break;
      }
      this.#lose({});
    } catch (error) {
      this.#lose({ nonsense: (error as Error).message });
      this.#channel.close();
    }
  }

  #take({ kind, id, payload }: Frame): void {
    if (this.#hello) {
      const reader = new FieldReader(payload);
      const magic = kind === Tell.hello && payload.byteLength >= 8 &&
        reader.u32() === 0x65746f6d;
      if (!magic || reader.u32() !== version) throw new Malformed("no hello");
      const hello = this.#hello;
      this.#hello = undefined;
      return hello();
    }
    if (kind >= Tell.tunnelOpen) {
      return this.tunnels?.take({ kind, id, payload });
    }
    const pending = this.#pending.get(id);
    if (!pending) return this.#takers.get(id)?.take({ kind, id, payload });
    // What follows in the same piece is no answer any more.
    if (kind !== Tell.part) this.#pending.delete(id);
    if (kind === Tell.fault) {
      const errno = new FieldReader(payload).i32();
      this.#pending.delete(id);
      return pending.reject(fileFault(errno, pending.action));
    }
    pending.bytes += payload.byteLength;
    if (pending.bytes > pending.mostBytes) {
      throw new Malformed("an answer is too long");
    }
    pending.parts.push(payload);
    if (kind === Tell.answer || kind === Tell.started) {
      // What comes next with this number is the run's.
      this.#pending.delete(id);
      pending.resolve(pending.parts);
    } else if (kind !== Tell.part) throw new Malformed("an unknown answer");
  }

  #lose(loss: AgentLoss): void {
    if (this.#loss) return;
    this.#loss = loss;
    clearInterval(this.#timer);
    this.#hello?.(loss);
    this.#hello = undefined;
    for (const { reject, action } of this.#pending.values()) {
      reject(this.gone(action));
    }
    for (const taker of this.#takers.values()) taker.lost(loss);
    this.tunnels?.lost(loss);
    this.#takers.clear();
    this.#lost?.();
  }
}

/** The connection is gone; the wall asks the engine why and says that instead. */
export class AgentGone extends SandboxError {
  /** What was wrong with what came, if that was it. */
  readonly loss: AgentLoss;

  /** For what was being done. */
  constructor(action: string, loss: AgentLoss) {
    const state = loss.nonsense ?? "the connection to the container ended";
    super(
      "GUEST_CRASHED",
      `Cannot ${action}: ${state}. Run again; the next run starts another container.`,
    );
    this.loss = loss;
  }
}

/** What a box's shell said, for an error. */
export function complaintOf(box: Box): string {
  const text = box.channel.complaint().trim();
  return text === "" ? "" : `; it said ${JSON.stringify(text.slice(-500))}`;
}

function _unref(timer: unknown): void {
  if (typeof timer === "number") {
    (globalThis as { Deno?: { unrefTimer(id: number): void } }).Deno
      ?.unrefTimer(timer);
  } else (timer as { unref?(): void }).unref?.();
}
