import type Koffi from "koffi";
import { functions, notify as notifyType } from "./abi.ts";
import type { ClientHandle, Library, SessionHandle } from "./core.ts";

// A name that is not in the import itself, so that Deno, which has its own
// binding, does not download koffi.
const _packageName = "koffi";
let _koffi: typeof Koffi | undefined;
let _notifyPointer: ReturnType<typeof Koffi.pointer> | undefined;

/** Opens the library with koffi. */
export async function openKoffi(
  path: string,
): Promise<{ library: Library; abiVersion: number }> {
  const koffi = _koffi ??= (await import(_packageName)).default as typeof Koffi;
  // koffi's type names are process-wide, so this one is declared once.
  const pointer = _notifyPointer ??= koffi.pointer(
    koffi.proto(notifyType.declaration),
  );
  const loaded = koffi.load(path);
  const bind = (name: keyof typeof functions) =>
    loaded.func(functions[name].declaration);
  const connect = bind("mote_connect");
  const disconnect = bind("mote_disconnect");
  const [probe, open, submit, take, reply, interrupt, close] = [
    bind("mote_probe"),
    bind("mote_open"),
    bind("mote_submit"),
    bind("mote_take"),
    bind("mote_reply"),
    bind("mote_interrupt"),
    bind("mote_close"),
  ];
  // koffi's callbacks do not keep a process alive; a timer that refers to it does.
  const timer = setInterval(() => {}, 1 << 30) as unknown as {
    ref(): void;
    unref(): void;
  };
  timer.unref();
  let callback: ReturnType<typeof Koffi.register> | undefined;
  const library: Library = {
    path,
    connect(notify) {
      callback = koffi.register(notify, pointer);
      return BigInt(connect(callback)) as ClientHandle;
    },
    disconnect: (client) =>
      new Promise((resolve, reject) =>
        disconnect.async(client, (error: unknown, status: number) => {
          if (callback) koffi.unregister(callback);
          callback = undefined;
          clearInterval(timer as unknown as number);
          if (error) reject(error);
          else resolve(status);
        })
      ),
    probe: (client, request) => probe(client, request),
    open: (client, request, message, length) =>
      BigInt(open(client, request, message, length)) as SessionHandle,
    submit: (session, request, message, length) =>
      submit(session, request, message, length),
    take: (client, buffer) => take(client, buffer, buffer.byteLength),
    reply: (session, call, message, length) =>
      reply(session, call, message, length),
    interrupt: (session, request) => interrupt(session, request),
    close: (session, request) => close(session, request),
    hold: (pending) => pending ? timer.ref() : timer.unref(),
  };
  return { library, abiVersion: Number(bind("mote_abi_version")()) };
}
