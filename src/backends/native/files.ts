import type { Client } from "../../../ffi/client.ts";
import type { SessionHandle } from "../../../ffi/core.ts";
import { SandboxError } from "../../errors.ts";
import type { FileEntry } from "../../result.ts";
import type { FileRoot, FileStore, WriteOptions } from "../backend.ts";
import { failureOf, statusError } from "./errors.ts";

interface Answer {
  readonly ok: Record<string, unknown>;
  readonly payload: Uint8Array;
}

/** Files of a session of the native library. */
export class NativeFiles implements FileStore {
  readonly #client: Client;
  readonly #session: SessionHandle;
  readonly #root: FileRoot;

  /** The files under one root. */
  constructor(client: Client, session: SessionHandle, root: FileRoot) {
    this.#client = client;
    this.#session = session;
    this.#root = root;
  }

  /** Writes bytes. */
  async write(
    path: string,
    bytes: Uint8Array,
    { offset, mode, mtimeMs }: WriteOptions,
  ): Promise<void> {
    await this.#ask({ op: "write", path, offset, mode, mtimeMs }, bytes);
  }

  /** Reads bytes. */
  async read(
    path: string,
    offset: number,
    length: number,
  ): Promise<{ bytes: Uint8Array; eof: boolean }> {
    const { ok, payload } = await this.#ask({
      op: "read",
      path,
      offset,
      length,
    });
    return { bytes: payload, eof: ok.eof === true };
  }

  /** Lists a directory. */
  async list(path: string, recursive: boolean): Promise<FileEntry[]> {
    const { ok } = await this.#ask({ op: "list", path, recursive });
    return ok.entries as FileEntry[];
  }

  /** One entry. */
  async stat(path: string): Promise<FileEntry | undefined> {
    try {
      const { ok } = await this.#ask({ op: "stat", path });
      return ok as unknown as FileEntry;
    } catch (error) {
      if (error instanceof SandboxError && error.code === "FILE_NOT_FOUND") {
        return undefined;
      }
      throw error;
    }
  }

  /** Makes a directory. */
  async mkdir(path: string): Promise<void> {
    await this.#ask({ op: "mkdir", path, recursive: true });
  }

  /** Makes a link. */
  async symlink(path: string, target: string): Promise<void> {
    await this.#ask({ op: "symlink", path, target });
  }

  /** Removes what is there. */
  async remove(path: string): Promise<void> {
    await this.#ask({ op: "remove", path, recursive: true });
  }

  #ask(
    head: Record<string, unknown>,
    ...payload: Uint8Array[]
  ): Promise<Answer> {
    const text = JSON.stringify({ ...head, root: this.#root });
    return new Promise((resolve, reject) => {
      this.#client.submit(
        this.#session,
        {
          done(answer, bytes) {
            const failure = failureOf(answer);
            if (failure) {
              reject(new SandboxError(failure.code, failure.message));
            } else {
              resolve({
                ok: (answer.ok ?? {}) as Record<string, unknown>,
                payload: bytes.slice(),
              });
            }
          },
          refused: (status) => reject(statusError(status)),
        },
        text,
        ...payload,
      );
    });
  }
}
