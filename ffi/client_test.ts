import assert from "node:assert/strict";
import { test } from "node:test";
import { eventHeaderBytes, EventKind, Status } from "./abi.ts";
import { Client, type Listener } from "./client.ts";
import type { ClientHandle, Library, SessionHandle } from "./core.ts";
import { MessageWriter, readMessage } from "./message.ts";

/** A library without a guest: tests put events into its mailbox. */
class FakeLibrary implements Library {
  readonly path = "fake";
  readonly submitted: { request: number; head: Record<string, unknown> }[] = [];
  readonly replies: { call: number; head: unknown }[] = [];
  readonly interrupted: number[] = [];
  readonly holds: boolean[] = [];
  status: number = Status.Ok;
  onSubmit: (request: number) => void = () => {};
  onInterrupt: (request: number) => number = () => Status.Ok;
  #mail: Uint8Array[] = [];
  #notify: () => void = () => {};

  connect(notify: () => void): ClientHandle {
    this.#notify = notify;
    return 1n as ClientHandle;
  }
  disconnect = () => Promise.resolve(0);
  probe = () => this.status;
  open = () => 7n as SessionHandle;
  submit(
    _: SessionHandle,
    request: number,
    message: Uint8Array,
    length: number,
  ) {
    const { head } = readMessage(message.slice(0, length));
    this.submitted.push({ request, head });
    this.onSubmit(request);
    return this.status;
  }
  take(_: ClientHandle, buffer: Uint8Array): number {
    let at = 0;
    for (let first; (first = this.#mail[0]); this.#mail.shift()) {
      if (at + first.length > buffer.length) break;
      buffer.set(first, at);
      at += first.length;
    }
    if (at > 0 || this.#mail.length === 0) return at;
    new DataView(buffer.buffer).setUint32(0, this.#mail[0]!.length, true);
    return Status.BufferTooSmall;
  }
  reply(_: SessionHandle, call: number, message: Uint8Array, length: number) {
    this.replies.push({
      call,
      head: readMessage(message.slice(0, length)).head,
    });
    return 0;
  }
  interrupt(_: SessionHandle, request: number) {
    this.interrupted.push(request);
    return this.onInterrupt(request);
  }
  close = () => this.status;
  hold(pending: boolean) {
    this.holds.push(pending);
  }

  post(request: number, kind: number, body: Uint8Array): void {
    const event = new Uint8Array(eventHeaderBytes + body.length);
    const view = new DataView(event.buffer);
    view.setUint32(0, body.length, true);
    view.setUint32(4, request, true);
    event[8] = kind;
    event.set(body, eventHeaderBytes);
    this.#mail.push(event);
  }
  notify(): void {
    this.#notify();
  }
}

const session = 7n as SessionHandle;

function message(head: unknown, payload = new Uint8Array(0)): Uint8Array {
  const writer = new MessageWriter();
  return writer.bytes.slice(0, writer.write(JSON.stringify(head), payload));
}

function recorder(): Listener & { seen: unknown[] } {
  const seen: unknown[] = [];
  return {
    seen,
    output: (stream, bytes) => void seen.push([stream, bytes.length]),
    call: (id, name) => void seen.push(["call", id, name]),
    progress: ({ stage }) => void seen.push(["progress", stage]),
    done: ({ ok }, payload) => void seen.push(["done", ok, payload.length]),
    refused: (status) => void seen.push(["refused", status]),
  };
}

test("events reach the request that they are for, the done event last", () => {
  const library = new FakeLibrary();
  const client = new Client(library);
  const [one, other] = [recorder(), recorder()];
  const first = client.submit(session, one, '{"op":"run"}');
  const second = client.submit(session, other, '{"op":"run"}');
  library.post(second, EventKind.Stdout, new Uint8Array(3));
  library.post(first, EventKind.Stderr, new Uint8Array(4));
  library.post(first, EventKind.Call, message({ call: 9, name: "f" }));
  library.post(first, EventKind.Progress, message({ stage: "compile" }));
  library.post(first, EventKind.Done, message({ ok: 1 }, new Uint8Array(5)));
  library.post(first, EventKind.Stdout, new Uint8Array(1));
  library.notify();
  assert.deepEqual(one.seen, [
    ["stderr", 4],
    ["call", 9, "f"],
    ["progress", "compile"],
    ["done", 1, 5],
  ]);
  assert.deepEqual(other.seen, [["stdout", 3]]);
});

test("an event larger than the buffer gets a buffer of its size", () => {
  const library = new FakeLibrary();
  const client = new Client(library);
  const listener = recorder();
  const request = client.submit(session, listener, "{}");
  library.post(request, EventKind.Stdout, new Uint8Array(3_000_000));
  library.post(request, EventKind.Done, message({ ok: 2 }));
  library.notify();
  assert.deepEqual(listener.seen, [["stdout", 3_000_000], ["done", 2, 0]]);
});

test("a listener may submit from within; its bytes are not overwritten", () => {
  const library = new FakeLibrary();
  const client = new Client(library);
  const inner = recorder();
  const sizes: number[] = [];
  library.status = Status.EventsReady;
  library.onSubmit = (request) => {
    if (library.submitted.length < 2) return;
    library.post(request, EventKind.Done, message({ ok: "inner" }));
  };
  const outer: Listener = {
    output(_, bytes) {
      client.submit(session, inner, "{}");
      assert.ok(bytes.every((byte) => byte === 7));
      sizes.push(bytes.length);
    },
    done: () => void sizes.push(-1),
    refused: () => {},
  };
  const request = client.submit(session, outer, "{}");
  library.post(request, EventKind.Stdout, new Uint8Array(10).fill(7));
  library.post(request, EventKind.Done, message({ ok: 0 }));
  library.notify();
  assert.deepEqual(sizes, [10, -1]);
  assert.deepEqual(inner.seen, [["done", "inner", 0]]);
});

test("the process is held while something is pending, and no longer", () => {
  const library = new FakeLibrary();
  const client = new Client(library);
  const first = client.submit(session, recorder(), "{}");
  const second = client.submit(session, recorder(), "{}");
  library.post(first, EventKind.Done, message({ ok: 0 }));
  library.notify();
  assert.deepEqual(library.holds, [true]);
  library.post(second, EventKind.Done, message({ ok: 0 }));
  library.notify();
  assert.deepEqual(library.holds, [true, false]);
});

test("what the library does not take is refused at once and forgotten", () => {
  const library = new FakeLibrary();
  const client = new Client(library);
  library.status = Status.StaleHandle;
  const listener = recorder();
  client.submit(session, listener, "{}");
  assert.deepEqual(listener.seen, [["refused", Status.StaleHandle]]);
  assert.deepEqual(library.holds, [true, false]);
});

test("acknowledging, replying and interrupting name their target", () => {
  const library = new FakeLibrary();
  const client = new Client(library);
  const request = client.submit(session, recorder(), "{}");
  client.acknowledge(session, request, 300);
  client.reply(session, 4, '{"ok":true}', new Uint8Array(2));
  client.interrupt(session, request);
  assert.deepEqual(library.submitted.at(-1), {
    request: 0,
    head: { op: "ack", request, bytes: 300 },
  });
  assert.deepEqual(library.replies, [{ call: 4, head: { ok: true } }]);
  assert.deepEqual(library.interrupted, [request]);
});

test("an interrupt that ends a waiting request at once is heard at once", () => {
  const library = new FakeLibrary();
  const client = new Client(library);
  const listener = recorder();
  const request = client.submit(session, listener, "{}");
  library.onInterrupt = () => {
    library.post(request, EventKind.Done, message({ ok: 3 }));
    return Status.EventsReady;
  };
  client.interrupt(session, request);
  assert.deepEqual(listener.seen, [["done", 3, 0]]);
});

test("a done event that cannot be read ends its request", () => {
  const library = new FakeLibrary();
  const client = new Client(library);
  const listener = recorder();
  const request = client.submit(session, listener, "{}");
  library.post(request, EventKind.Done, new Uint8Array([9, 0, 0, 0, 1]));
  library.notify();
  assert.deepEqual(listener.seen, [["refused", Status.BadMessage]]);
});
