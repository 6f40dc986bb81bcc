import type { Client } from "../../../ffi/client.ts";
import type { SessionHandle } from "../../../ffi/core.ts";
import type {
  FileRoot,
  FileStore,
  RunOutcome,
  RunRequest,
  Wall,
} from "../backend.ts";
import { statusError } from "./errors.ts";
import { NativeFiles } from "./files.ts";
import { NativeRun } from "./run.ts";

const _encoder = new TextEncoder();
const _nothing = new Uint8Array(0);
// Short programs are encoded here, without an allocation; submit() copies them.
const _scratch = new Uint8Array(16_384);

/** A session of the native library. */
export class NativeWall implements Wall {
  readonly #client: Client;
  readonly #another: () => Promise<SessionHandle>;
  #session: SessionHandle;
  #closed: Promise<void> | undefined;

  /** Takes over an open session; `another` opens one more like it. */
  constructor(
    client: Client,
    session: SessionHandle,
    another: () => Promise<SessionHandle>,
  ) {
    this.#client = client;
    this.#session = session;
    this.#another = another;
  }

  /** The library's name for it. */
  get handle(): number {
    return Number(this.#session);
  }

  /** Runs a program. */
  run(request: RunRequest): Promise<RunOutcome> {
    const { args, timeMs, onOutput } = request;
    const code = _codeBytes(request.code);
    const head = `{"op":"run","codeBytes":${code.byteLength},"args":${
      args.length ? JSON.stringify(args) : "[]"
    },"timeMs":${timeMs},"stream":${onOutput !== undefined}}`;
    return new Promise((resolve, reject) => {
      const run = new NativeRun(this.#client, this.#session, request, {
        resolve,
        reject,
      });
      run.begin(head, code, _bytes(request.stdin));
    });
  }

  /** The files behind the wall. */
  files(root: FileRoot): FileStore {
    return new NativeFiles(this.#client, this.#session, root);
  }

  /** Lets another session stand in: opening one takes less than to prove that nothing is left in the used one. */
  async reset(): Promise<void> {
    const used = this.#session;
    const fresh = await this.#another();
    if (this.#closed) return await closeSession(this.#client, fresh);
    this.#session = fresh;
    await closeSession(this.#client, used);
  }

  /** Ends the session and waits until all is gone. */
  close(): Promise<void> {
    return this.#closed ??= closeSession(this.#client, this.#session);
  }
}

/** Ends a session of the library and waits until all is gone. */
export function closeSession(
  client: Client,
  session: SessionHandle,
): Promise<void> {
  return new Promise((resolve, reject) =>
    client.close(session, {
      done: () => resolve(),
      refused: (status) => reject(statusError(status)),
    })
  );
}

/** Bytes of a program, valid until the next call. */
function _codeBytes(code: string | Uint8Array): Uint8Array {
  if (typeof code !== "string" || code.length * 3 > _scratch.length) {
    return _bytes(code);
  }
  return _scratch.subarray(0, _encoder.encodeInto(code, _scratch).written);
}

function _bytes(value: string | Uint8Array): Uint8Array {
  if (typeof value !== "string") return value;
  return value === "" ? _nothing : _encoder.encode(value);
}
