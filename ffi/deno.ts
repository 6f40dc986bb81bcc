import { functions, notify as notifyType } from "./abi.ts";
import type { ClientHandle, Library, SessionHandle } from "./core.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Opens the library with `Deno.dlopen`. */
export function openDeno(
  path: string,
): { library: Library; abiVersion: number } {
  const { symbols } = Deno.dlopen(path, functions);
  let callback: Deno.UnsafeCallback<typeof notifyType> | undefined;
  const library: Library = {
    path,
    connect(notify) {
      callback = Deno.UnsafeCallback.threadSafe(notifyType, notify);
      callback.unref();
      return symbols.mote_connect(callback.pointer) as ClientHandle;
    },
    async disconnect(client) {
      const status = await symbols.mote_disconnect(client);
      callback?.close();
      callback = undefined;
      return status;
    },
    probe: (client, request) => symbols.mote_probe(client, request),
    open(client, request, message, length) {
      const bytes = message as Bytes, size = BigInt(length);
      return symbols.mote_open(client, request, bytes, size) as SessionHandle;
    },
    submit(session, request, message, length) {
      const bytes = message as Bytes, size = BigInt(length);
      return symbols.mote_submit(session, request, bytes, size);
    },
    take(client, buffer) {
      const size = BigInt(buffer.byteLength);
      return symbols.mote_take(client, buffer as Bytes, size);
    },
    reply(session, call, message, length) {
      const bytes = message as Bytes, size = BigInt(length);
      return symbols.mote_reply(session, call, bytes, size);
    },
    interrupt: (session, request) => symbols.mote_interrupt(session, request),
    close: (session, request) => symbols.mote_close(session, request),
    hold(pending) {
      if (pending) callback?.ref();
      else callback?.unref();
    },
  };
  return { library, abiVersion: symbols.mote_abi_version() };
}
