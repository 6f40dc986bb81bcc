import type { Connection } from "../../backend.ts";
import type { AgentClient, FrameTaker } from "./client.ts";
import {
  Ask,
  FieldReader,
  FieldWriter,
  type Frame,
  Malformed,
  Tell,
} from "./protocol.ts";

const _windowBytes = 262_144;
const _pieceBytes = 65_536;
const _nothing = new Uint8Array(0);
const _mostConnections = 256;

/** Connections that a guest makes to ports of its own and that end here. */
export class Tunnels implements FrameTaker {
  readonly #client: AgentClient;
  readonly #takers = new Map<number, (connection: Connection) => void>();
  readonly #open = new Map<number, _Connection>();

  /** Takes over an agent's. */
  constructor(client: AgentClient) {
    this.#client = client;
    client.tunnels = this;
  }

  /** Takes connections to 127.0.0.1 at this port. */
  async listen(
    port: number,
    take: (connection: Connection) => void,
  ): Promise<void> {
    this.#takers.set(port, take);
    const fields = new FieldWriter().u32(port);
    await this.#client.ask(Ask.listen, fields, "listen for the guest");
  }

  /** A frame of one of them. */
  take({ kind, id, payload }: Frame): void {
    if (kind === Tell.tunnelOpen) {
      const taker = this.#takers.get(new FieldReader(payload).u32());
      if (!taker || this.#open.has(id) || this.#open.size >= _mostConnections) {
        return void this.#client.send(Ask.tunnelClose, id, _nothing);
      }
      const connection = new _Connection(
        (kind, fields, bytes) => this.#client.send(kind, id, fields, bytes),
        () => this.#open.delete(id),
      );
      this.#open.set(id, connection);
      return taker(connection);
    }
    const connection = this.#open.get(id);
    switch (kind) {
      case Tell.tunnelData:
        return connection?.data(payload);
      case Tell.tunnelEnd:
        return connection?.ended();
      case Tell.tunnelCredit:
        return connection?.freed(new FieldReader(payload).u32());
      case Tell.tunnelClose:
        return connection?.lost();
      default:
        throw new Malformed("an unknown frame of a connection");
    }
  }

  /** All of them are gone. */
  lost(): void {
    for (const connection of [...this.#open.values()]) connection.lost();
  }
}

type Send = (
  kind: number,
  fields: Uint8Array,
  bytes?: Uint8Array,
) => Promise<void>;

class _Connection implements Connection {
  readonly #send: Send;
  readonly #forget: () => void;
  readonly #heard: Uint8Array[] = [];
  #unread = 0;
  #room = _windowBytes;
  #heardAll = false;
  #saidAll = false;
  #over = false;
  #wake: (() => void) | undefined;
  #roomy: (() => void) | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(send: Send, forget: () => void) {
    this.#send = send;
    this.#forget = forget;
  }

  get input(): AsyncIterable<Uint8Array> {
    return this.#input();
  }

  async *#input(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const next = this.#heard.shift();
      if (next) {
        this.#unread -= next.byteLength;
        if (!this.#over) {
          const fields = new FieldWriter().u32(next.byteLength).done();
          this.#send(Ask.tunnelCredit, fields);
        }
        yield next;
      } else if (this.#heardAll || this.#over) return;
      else await new Promise<void>((wake) => this.#wake = wake);
    }
  }

  write(bytes: Uint8Array): Promise<void> {
    const written = this.#writing.then(() => this.#write(bytes));
    this.#writing = written.catch(() => {});
    return written;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.byteLength; at += _pieceBytes) {
      const piece = bytes.subarray(at, at + _pieceBytes);
      while (this.#room < piece.byteLength && !this.#over) {
        await new Promise<void>((roomy) => this.#roomy = roomy);
      }
      if (this.#over || this.#saidAll) throw new Error("it is closed");
      this.#room -= piece.byteLength;
      await this.#send(Ask.tunnelData, _nothing, piece);
    }
  }

  end(): void {
    this.#writing = this.#writing.then(() => {
      if (this.#over || this.#saidAll) return;
      this.#saidAll = true;
      this.#send(Ask.tunnelEnd, _nothing);
      if (this.#heardAll) this.#leave();
    });
  }

  close(): void {
    // What was written before is sent first.
    this.#writing = this.#writing.then(() => {
      if (this.#over) return;
      this.#send(Ask.tunnelClose, _nothing);
      this.#leave();
    });
  }

  data(bytes: Uint8Array): void {
    this.#unread += bytes.byteLength;
    if (this.#unread > _windowBytes) {
      throw new Malformed("more than a connection may send");
    }
    this.#heard.push(bytes);
    this.#wake?.();
  }

  ended(): void {
    this.#heardAll = true;
    this.#wake?.();
    if (this.#saidAll) this.#leave();
  }

  freed(bytes: number): void {
    this.#room = Math.min(_windowBytes, this.#room + bytes);
    this.#roomy?.();
  }

  lost(): void {
    this.#leave();
  }

  #leave(): void {
    this.#over = true;
    this.#forget();
    this.#wake?.();
    this.#roomy?.();
  }
}
