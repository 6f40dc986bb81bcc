/** A mailbox of the library, one per JavaScript isolate. */
export type ClientHandle = bigint & { readonly __handle: "client" };

/** A session of the library. */
export type SessionHandle = bigint & { readonly __handle: "session" };

/**
 * The C ABI as TypeScript sees it; ffi/abi.ts says what each function does.
 * Messages are handed over as the first `length` bytes of a buffer and are
 * copied before the call returns.
 */
export interface Library {
  /** Where it was loaded from. */
  readonly path: string;
  /** `notify` runs on this isolate's event loop, never inside another call. */
  connect(notify: () => void): ClientHandle;
  /** Settles when no thread works for the client any more. */
  disconnect(client: ClientHandle): Promise<number>;
  probe(client: ClientHandle, request: number): number;
  open(
    client: ClientHandle,
    request: number,
    message: Uint8Array,
    length: number,
  ): SessionHandle;
  submit(
    session: SessionHandle,
    request: number,
    message: Uint8Array,
    length: number,
  ): number;
  take(client: ClientHandle, buffer: Uint8Array): number;
  reply(
    session: SessionHandle,
    call: number,
    message: Uint8Array,
    length: number,
  ): number;
  interrupt(session: SessionHandle, request: number): number;
  close(session: SessionHandle, request: number): number;
  /** Keeps the process alive (or not) until the next notify. */
  hold(pending: boolean): void;
}
