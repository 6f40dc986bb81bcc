import type { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Channel } from "../box.ts";
import { demultiplex } from "./frames.ts";

const _complaintBytes = 4_096;

/** The attached streams of a container's main process, or of a process started in it. */
export class AttachedChannel implements Channel {
  readonly #stream: Duplex;
  readonly #ended: () => void;
  #complaint = new Uint8Array();
  #drained: Promise<void> | undefined;
  #gone = false;
  readonly output: AsyncIterable<Uint8Array>;

  /** `ended` is called once, when the connection ends for whatever reason. */
  constructor(stream: Duplex, ended: () => void = () => {}) {
    this.#stream = stream;
    this.#ended = ended;
    const gone = () => {
      if (this.#gone) return;
      this.#gone = true;
      this.#ended();
    };
    // An error is the end of the connection, which is all that anybody can do about it.
    stream.on("error", gone);
    stream.on("close", gone);
    this.output = this.#output();
  }

  async *#output(): AsyncGenerator<Uint8Array, void, undefined> {
    const complain = (bytes: Uint8Array) => this.#complain(bytes);
    try {
      yield* demultiplex(
        this.#stream as AsyncIterable<Buffer>,
        complain,
      );
    } catch {
      // A connection that broke, or one that carries no frames, has ended.
    } finally {
      this.close();
    }
  }

  #complain(bytes: Uint8Array): void {
    const kept = this.#complaint;
    const both = new Uint8Array(kept.length + bytes.length);
    both.set(kept);
    both.set(bytes, kept.length);
    this.#complaint = both.slice(-_complaintBytes);
  }

  complaint(): string {
    return new TextDecoder().decode(this.#complaint);
  }

  write(bytes: Uint8Array): Promise<void> {
    const stream = this.#stream;
    if (this.#gone || stream.destroyed || stream.writableEnded) {
      return Promise.reject(new Error("the connection has ended"));
    }
    if (stream.write(bytes)) return Promise.resolve();
    return this.#drained ??= new Promise<void>((done, fail) => {
      const settle = (error?: Error) => {
        stream.off("drain", drained);
        stream.off("close", closed);
        this.#drained = undefined;
        if (error) fail(error);
        else done();
      };
      const drained = () => settle();
      const closed = () => settle(new Error("the connection has ended"));
      stream.on("drain", drained);
      stream.on("close", closed);
    });
  }

  ref(): void {
    (this.#stream as Partial<Socket>).ref?.();
  }

  unref(): void {
    (this.#stream as Partial<Socket>).unref?.();
  }

  close(): void {
    this.#stream.destroy();
  }
}
