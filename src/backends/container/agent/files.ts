import { SandboxError } from "../../../errors.ts";
import type { FileEntry } from "../../../result.ts";
import type { FileStore, WriteOptions } from "../../backend.ts";
import { isZero } from "../../../zeros.ts";
import type { AgentClient } from "./client.ts";
import { Ask, FieldReader, FieldWriter, Malformed } from "./protocol.ts";

/** Trees that the agent keeps, by the number it knows them by. */
export const Root = { sandbox: 0, libraries: 1, run: 2 } as const;

const _kinds = ["file", "directory", "symlink", "other"] as const;
const _listBytesMax = 512 << 20;
const _decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const _loose = new TextDecoder("utf-8", { ignoreBOM: true });

interface Entry {
  readonly kind: typeof _kinds[number];
  readonly entry: Omit<FileEntry, "kind">;
}

/** Files below one root of an agent. */
export class AgentFiles implements FileStore {
  readonly #client: AgentClient;
  readonly #root: number;
  /** Requests that are worth sending at a time. */
  readonly parallel = 16;

  /** Below this root. */
  constructor(client: AgentClient, root: number) {
    this.#client = client;
    this.#root = root;
  }

  #fields(): FieldWriter {
    return new FieldWriter().u8(this.#root);
  }

  /** Writes bytes; blocks of zeros become holes where nothing was. */
  async write(
    path: string,
    bytes: Uint8Array,
    { offset, mode, mtimeMs }: WriteOptions,
  ): Promise<void> {
    const zeros = bytes.byteLength > 4_096 && isZero(bytes);
    const flags = (offset === null ? 1 : 0) | (mode === undefined ? 0 : 2) |
      (mtimeMs === undefined ? 0 : 4) | (zeros ? 8 : 0);
    const fields = this.#fields().u8(flags).u64(offset ?? 0).u32(mode ?? 0)
      .u64(mtimeMs ?? 0).u64(bytes.byteLength).bytes(path);
    await this.#client.ask(
      Ask.write,
      fields,
      `write ${JSON.stringify(path)}`,
      zeros ? undefined : bytes,
    );
  }

  /** Starts or goes on with a file, ahead of whatever waits for its turn. */
  async writeNow(
    path: string,
    bytes: Uint8Array,
    offset: number | null,
  ): Promise<void> {
    const fields = this.#fields().u8(offset === null ? 1 : 0).u64(offset ?? 0)
      .u32(0).u64(0).u64(0).bytes(path);
    await this.#client.askNow(
      Ask.write,
      this.#client.nextId(),
      fields,
      "write what is to be run",
      bytes,
    );
  }

  /** Reads bytes. */
  async read(
    path: string,
    offset: number,
    length: number,
  ): Promise<{ bytes: Uint8Array; eof: boolean }> {
    const fields = this.#fields().u64(offset).u32(length).bytes(path);
    const answer = await this.#one(
      Ask.read,
      fields,
      `read ${JSON.stringify(path)}`,
    );
    const eof = answer.u8() !== 0;
    const zeros = answer.u64();
    if (zeros > length || answer.left > length) {
      throw new Malformed("more than was asked for");
    }
    return { bytes: zeros ? new Uint8Array(zeros) : answer.rest(), eof };
  }

  /** Lists a directory. Names that are not UTF-8 are refused, as nothing could be asked of them. */
  async list(path: string, recursive: boolean): Promise<FileEntry[]> {
    const action = `list ${JSON.stringify(path)}`;
    const parts = await this.#client.ask(
      Ask.list,
      this.#fields().u8(recursive ? 1 : 0).bytes(path),
      action,
      undefined,
      _listBytesMax,
    );
    const entries: FileEntry[] = [];
    const prefix = path === "." ? "" : `${path}/`;
    for (const part of parts) {
      const reader = new FieldReader(part);
      while (reader.left > 0) {
        const { kind, entry } = _entry(reader, action);
        if (kind === "other") continue;
        _checkPath(entry.path, prefix, recursive);
        entries.push({ ...entry, kind });
      }
    }
    return entries.sort((a, b) => a.path < b.path ? -1 : 1);
  }

  /** One entry. */
  async stat(path: string): Promise<FileEntry | undefined> {
    const action = `look at ${JSON.stringify(path)}`;
    try {
      const answer = await this.#one(
        Ask.stat,
        this.#fields().bytes(path),
        action,
      );
      const { kind, entry } = _entry(answer, action);
      return kind === "other" ? undefined : { ...entry, path, kind };
    } catch (error) {
      if (error instanceof SandboxError && error.code === "FILE_NOT_FOUND") {
        return undefined;
      }
      throw error;
    }
  }

  /** Makes a directory and those above it. */
  async mkdir(path: string): Promise<void> {
    const action = `make the directory ${JSON.stringify(path)}`;
    await this.#client.ask(Ask.mkdir, this.#fields().bytes(path), action);
  }

  /** Makes a link. */
  async symlink(path: string, target: string): Promise<void> {
    const action = `make the link ${JSON.stringify(path)}`;
    const fields = this.#fields().bytes(path).bytes(target);
    await this.#client.ask(Ask.symlink, fields, action);
  }

  /** Removes what is there. */
  async remove(path: string): Promise<void> {
    const action = `remove ${JSON.stringify(path)}`;
    await this.#client.ask(Ask.remove, this.#fields().bytes(path), action);
  }

  async #one(
    kind: number,
    fields: FieldWriter,
    action: string,
  ): Promise<FieldReader> {
    const [answer] = await this.#client.ask(kind, fields, action);
    return new FieldReader(answer!);
  }
}

function _entry(reader: FieldReader, action: string): Entry {
  const kind = _kinds[reader.u8()];
  if (!kind) throw new Malformed("an unknown kind of file");
  const mode = reader.u32() & 0o777;
  const size = reader.u64();
  const mtimeMs = reader.i64();
  const path = _text(reader.bytes(), action);
  const target = reader.bytes();
  if (kind !== "symlink") return { kind, entry: { path, size, mode, mtimeMs } };
  const points = _text(target, action);
  return { kind, entry: { path, size, mode, mtimeMs, target: points } };
}

function _text(bytes: Uint8Array, action: string): string {
  try {
    return _decoder.decode(bytes);
  } catch {
    const name = JSON.stringify(_loose.decode(bytes));
    throw new SandboxError(
      "PATH_REFUSED",
      `Cannot ${action}: the name ${name} is not UTF-8. Rename it in the code.`,
    );
  }
}

/** A path that is below the listed directory and means what it says. */
function _checkPath(path: string, prefix: string, recursive: boolean): void {
  const names = path.startsWith(prefix)
    ? path.slice(prefix.length).split("/")
    : [""];
  const odd = names.some((name) =>
    name === "" || name === "." || name === ".." || name.includes("\0")
  );
  if (odd || (!recursive && names.length > 1)) {
    throw new Malformed("a path that is not in the directory");
  }
}
