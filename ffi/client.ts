import { EventKind, Status } from "./abi.ts";
import type { ClientHandle, Library, SessionHandle } from "./core.ts";
import {
  type Message,
  MessageWriter,
  neededBytes,
  readEvents,
  readMessage,
} from "./message.ts";

/** Takes what comes for one request; byte arrays are only valid during the call. */
export interface Listener {
  /** Streamed output. */
  output?(stream: "stdout" | "stderr", bytes: Uint8Array): void;
  /** The guest calls a tool. */
  call?(id: number, name: string, input: Uint8Array): void;
  /** Long work goes on. */
  progress?(head: Record<string, unknown>): void;
  /** The request has ended. */
  done(head: Record<string, unknown>, payload: Uint8Array): void;
  /** It will never end: the library did not take it. */
  refused(status: number): void;
}

/** A message that cannot be read must not leave its request waiting for ever. */
function _tryRead(body: Uint8Array): Message | undefined {
  try {
    return readMessage(body);
  } catch {
    return undefined;
  }
}

const _firstBufferBytes = 65_536;
const _keptBufferBytes = 1_048_576;
const _lastRequest = 0xffff_ffff;

/** One mailbox: numbers requests, and hands out what comes for them. */
export class Client {
  readonly #library: Library;
  readonly #handle: ClientHandle;
  readonly #writer = new MessageWriter();
  readonly #listeners = new Map<number, Listener>();
  #buffer = new Uint8Array(_firstBufferBytes);
  #lastRequest = 0;
  #draining = false;

  /** Connects to the library. */
  constructor(library: Library) {
    this.#library = library;
    this.#handle = library.connect(() => this.drain());
    if (this.#handle <= 0n) {
      throw new Error(`mote_connect gave ${this.#handle}`);
    }
  }

  /** Where the library was loaded from. */
  get path(): string {
    return this.#library.path;
  }

  /** Asks what the engines can do. */
  probe(listener: Listener): void {
    const request = this.#begin(listener);
    this.#settle(request, this.#library.probe(this.#handle, request));
  }

  /** Opens a session; gives its handle, and the request that can be interrupted. */
  open(head: string, listener: Listener): [SessionHandle, number] {
    const request = this.#begin(listener);
    const length = this.#writer.write(head);
    const session = this.#library.open(
      this.#handle,
      request,
      this.#writer.bytes,
      length,
    );
    this.#settle(
      request,
      session > 0n ? Status.EventsReady : Number(session),
    );
    return [session, request];
  }

  /** Hands a request to a session and gives its number. */
  submit(
    session: SessionHandle,
    listener: Listener,
    head: string,
    ...payload: readonly Uint8Array[]
  ): number {
    const request = this.#begin(listener);
    const length = this.#writer.write(head, ...payload);
    this.#settle(
      request,
      this.#library.submit(session, request, this.#writer.bytes, length),
    );
    return request;
  }

  /** Says that streamed output was dealt with, so that the guest may write more. */
  acknowledge(session: SessionHandle, request: number, bytes: number): void {
    const head = `{"op":"ack","request":${request},"bytes":${bytes}}`;
    const length = this.#writer.write(head);
    this.#library.submit(session, 0, this.#writer.bytes, length);
  }

  /** Answers a call of the guest; one that has ended is no fault. */
  reply(
    session: SessionHandle,
    call: number,
    head: string,
    payload: Uint8Array,
  ): void {
    const length = this.#writer.write(head, payload);
    this.#library.reply(session, call, this.#writer.bytes, length);
  }

  /** Ends a request early; its done event says so. */
  interrupt(session: SessionHandle, request: number): void {
    const status = this.#library.interrupt(session, request);
    if (status === Status.EventsReady) this.drain();
  }

  /** Ends a session. */
  close(session: SessionHandle, listener: Listener): void {
    const request = this.#begin(listener);
    this.#settle(request, this.#library.close(session, request));
  }

  /** Takes every event that waits. */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    try {
      for (;;) {
        const got = this.#library.take(this.#handle, this.#buffer);
        if (got === Status.BufferTooSmall) {
          this.#buffer = new Uint8Array(neededBytes(this.#buffer));
          continue;
        }
        if (got <= 0) break;
        readEvents(this.#buffer, got, this.#dispatch);
      }
    } finally {
      this.#draining = false;
      if (this.#buffer.byteLength > _keptBufferBytes) {
        this.#buffer = new Uint8Array(_firstBufferBytes);
      }
    }
  }

  readonly #drainLater = (): void => this.drain();

  readonly #dispatch = (
    request: number,
    kind: number,
    body: Uint8Array,
  ): void => {
    const listener = this.#listeners.get(request);
    if (!listener) return;
    switch (kind) {
      case EventKind.Stdout:
        return listener.output?.("stdout", body);
      case EventKind.Stderr:
        return listener.output?.("stderr", body);
      case EventKind.Done: {
        this.#end(request);
        const message = _tryRead(body);
        if (!message) return listener.refused(Status.BadMessage);
        return listener.done(message.head, message.payload);
      }
      case EventKind.Call: {
        const message = _tryRead(body);
        if (!message) return;
        const { call, name } = message.head;
        return listener.call?.(
          call as number,
          name as string,
          message.payload,
        );
      }
      case EventKind.Progress:
        return listener.progress?.(_tryRead(body)?.head ?? {});
    }
  };

  #begin(listener: Listener): number {
    do {
      this.#lastRequest = this.#lastRequest === _lastRequest
        ? 1
        : this.#lastRequest + 1;
    } while (this.#listeners.has(this.#lastRequest));
    this.#listeners.set(this.#lastRequest, listener);
    if (this.#listeners.size === 1) this.#library.hold(true);
    return this.#lastRequest;
  }

  #end(request: number): void {
    this.#listeners.delete(request);
    if (this.#listeners.size === 0) this.#library.hold(false);
  }

  #settle(request: number, status: number): void {
    // Never inside the caller's own call: its callbacks would run before it has returned.
    if (status === Status.EventsReady) return queueMicrotask(this.#drainLater);
    if (status >= 0) return;
    const listener = this.#listeners.get(request);
    this.#end(request);
    listener?.refused(status);
  }
}
