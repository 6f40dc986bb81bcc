import type { AgentClient, AgentLoss, FrameTaker } from "./client.ts";
import {
  Ask,
  FieldReader,
  FieldWriter,
  type Frame,
  Malformed,
  Tell,
} from "./protocol.ts";

/** Streams of a process, by the number that the agent knows them by. */
export const Stream = { stdin: 0, stdout: 1, stderr: 2, control: 3 } as const;

/** Output that may be on its way unread. */
export const windowBytes = 1_048_576;
const _inputWindow = 262_144;
const _pieceBytes = 65_536;

/** Why the agent ended a process, by its number. */
export const Reason = {
  itself: 0,
  host: 1,
  time: 2,
  cpu: 3,
  memory: 4,
  processes: 5,
  remains: 6,
} as const;

/** What the agent says of a process, or of a run of a living one, at its end. */
export interface Report {
  /** Why it ended. */
  readonly reason: number;
  /** Exit code of the main process, or minus the signal that ended it. */
  readonly status: number;
  /** How long it took, in ms. */
  readonly runMs: number;
  /** Time on the processor, in ms. */
  readonly cpuMs: number;
  /** The most memory that its main process had at a time, files' included, in bytes; 0 while it lives. */
  readonly peakBytes: number;
  /** How often the kernel killed for want of memory. */
  readonly memoryKills: number;
  /** The workspace was seen full, and was not before. */
  readonly full: boolean;
  /** Files that it made or changed, 100 at most. */
  readonly changed: readonly string[];
}

/** Takes what comes from a process. */
export interface ProcessSink {
  /** Output. */
  output(stream: "stdout" | "stderr", bytes: Uint8Array): void;
  /** Words of its driver. */
  control(bytes: Uint8Array): void;
  /** It has ended, and all its descendants. */
  ended(report: Report): void;
  /** A living one has been stopped until its next run. */
  settled(report: Report): void;
  /** Nothing is known of it any more. */
  lost(loss: AgentLoss): void;
}

/** What to start. */
export interface Launch {
  /** Program and arguments. */
  readonly command: readonly string[];
  /** Environment beside the agent's own. */
  readonly env: Readonly<Record<string, string>>;
  /** Working directory. */
  readonly cwd: string;
  /** The driver that it gets. */
  readonly driver?: "python" | "node" | undefined;
  /** Is kept between runs. */
  readonly living: boolean;
  /** Leaves the folder of the run for the next process. */
  readonly keepsFolder: boolean;
  /** Data that one process may have once its driver is there, in bytes; 0 is no limit. */
  readonly dataBytes: number;
  /** What it may use up. */
  readonly limits: LaunchLimits;
}

/** What a run may use up; 0 is no limit. */
export interface LaunchLimits {
  /** Wall-clock time in ms, after which the agent ends it if the host does not. */
  readonly timeMs: number;
  /** Time on the processor, in ms. */
  readonly cpuMs: number;
  /** Memory of all its processes, in bytes. */
  readonly memoryBytes: number;
}

class _Input {
  #left = _inputWindow;
  #wake: (() => void) | undefined;

  async room(bytes: number): Promise<void> {
    while (this.#left < bytes) {
      await new Promise<void>((wake) => this.#wake = wake);
    }
    this.#left -= bytes;
  }

  freed(bytes: number): void {
    this.#left = Math.min(_inputWindow, this.#left + bytes);
    this.#wake?.();
  }

  end(): void {
    this.#left = Infinity;
    this.#wake?.();
  }
}

/** A process that an agent runs. */
export class AgentProcess implements FrameTaker {
  readonly #client: AgentClient;
  readonly #id: number;
  readonly #inputs = {
    [Stream.stdin]: new _Input(),
    [Stream.control]: new _Input(),
  };
  #over = false;
  /** Who takes what comes from it. */
  sink: ProcessSink | undefined;

  /** Not started yet. */
  constructor(client: AgentClient) {
    this.#client = client;
    this.#id = client.nextId();
  }

  /** Whether it has ended, or is lost. */
  get over(): boolean {
    return this.#over;
  }

  /** Starts it. */
  async start(launch: Launch, action: string): Promise<void> {
    const { driver, living, keepsFolder } = launch;
    const flags = (living ? 1 : 0) | (driver === "python" ? 2 : 0) |
      (driver === "node" ? 4 : 0) | (keepsFolder ? 8 : 0);
    const fields = _limits(new FieldWriter().u8(flags), launch.limits)
      .u64(launch.dataBytes).u32(windowBytes).bytes(launch.cwd)
      .list(launch.command)
      .list(
        Object.entries(launch.env).map(([name, value]) => `${name}=${value}`),
      );
    this.#client.route(this.#id, this);
    try {
      await this.#client.askNow(Ask.start, this.#id, fields, action);
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  /** Begins the next run of a living one. */
  resume(limits: LaunchLimits): void {
    this.#send(Ask.resume, _limits(new FieldWriter(), limits));
  }

  /** Hands it input, as it takes it. */
  async input(stream: 0 | 3, bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.byteLength && !this.#over; at += _pieceBytes) {
      const piece = bytes.subarray(at, at + _pieceBytes);
      await this.#inputs[stream].room(piece.byteLength);
      if (this.#over) return;
      await this.#send(Ask.input, new FieldWriter().u8(stream), piece);
    }
  }

  /** Ends an input. */
  inputEnd(stream: 0 | 3): void {
    this.#send(Ask.inputEnd, new FieldWriter().u8(stream));
  }

  /** Output was dealt with. */
  credit(stream: "output" | "control", bytes: number): void {
    const number = stream === "control" ? Stream.control : Stream.stdout;
    if (bytes > 0) {
      this.#send(Ask.credit, new FieldWriter().u8(number).u32(bytes));
    }
  }

  /** Kills it and all its descendants. */
  kill(): void {
    this.#send(Ask.kill, new FieldWriter());
  }

  /** Kills its descendants and stops it. */
  settle(): void {
    this.#send(Ask.settle, new FieldWriter());
  }

  #send(kind: number, fields: FieldWriter, bytes?: Uint8Array): Promise<void> {
    if (this.#over) return Promise.resolve();
    return this.#client.send(kind, this.#id, fields.done(), bytes);
  }

  /** A frame of it. */
  take({ kind, payload }: Frame): void {
    const reader = new FieldReader(payload);
    switch (kind) {
      case Tell.output: {
        const stream = reader.u8();
        const bytes = reader.rest();
        if (stream === Stream.control) return this.sink?.control(bytes);
        if (stream !== Stream.stdout && stream !== Stream.stderr) {
          throw new Malformed("an unknown stream");
        }
        const name = stream === Stream.stdout ? "stdout" : "stderr";
        return this.sink?.output(name, bytes);
      }
      case Tell.inputCredit: {
        const stream = reader.u8();
        if (stream !== Stream.stdin && stream !== Stream.control) {
          throw new Malformed("an unknown input");
        }
        return this.#inputs[stream].freed(reader.u32());
      }
      case Tell.settled:
        return this.sink?.settled(_report(reader));
      case Tell.ended: {
        const report = _report(reader);
        this.#end();
        return this.sink?.ended(report);
      }
      default:
        throw new Malformed("an unknown frame of a run");
    }
  }

  /** The connection is gone. */
  lost(loss: AgentLoss): void {
    if (this.#over) return;
    this.#end();
    this.sink?.lost(loss);
  }

  #end(): void {
    this.#over = true;
    this.#client.unroute(this.#id);
    for (const input of Object.values(this.#inputs)) input.end();
  }
}

function _limits(fields: FieldWriter, limits: LaunchLimits): FieldWriter {
  return fields.u32(limits.timeMs).u64(limits.cpuMs * 1_000)
    .u64(limits.memoryBytes);
}

const _decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const _changedMax = 100;

function _report(reader: FieldReader): Report {
  const reason = reader.u8();
  const status = reader.i32();
  const runMs = reader.u64() / 1_000;
  const cpuMs = reader.u64() / 1_000;
  const peakBytes = reader.u64();
  const memoryKills = reader.u32();
  const full = reader.u8() !== 0;
  const changed: string[] = [];
  for (let left = Math.min(reader.u32(), _changedMax); left > 0; left--) {
    try {
      changed.push(_decoder.decode(reader.bytes()));
    } catch (error) {
      if (error instanceof Malformed) throw error;
    }
  }
  return {
    reason,
    status,
    runMs,
    cpuMs,
    peakBytes,
    memoryKills,
    full,
    changed,
  };
}
