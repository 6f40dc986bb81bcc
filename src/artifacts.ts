import type { FileStore } from "./backends/backend.ts";
import type { Artifact } from "./result.ts";

const _chunkBytes = 1_048_576;

const _mediaTypes: Readonly<Record<string, string>> = {
  csv: "text/csv",
  gif: "image/gif",
  html: "text/html",
  jpeg: "image/jpeg",
  jpg: "image/jpeg",
  js: "text/javascript",
  json: "application/json",
  md: "text/markdown",
  pdf: "application/pdf",
  png: "image/png",
  svg: "image/svg+xml",
  txt: "text/plain",
  webp: "image/webp",
  xml: "application/xml",
  zip: "application/zip",
};

/** Files that a run made or changed, as far as they are still there. */
export async function artifactsOf(
  files: FileStore,
  changed: readonly string[],
): Promise<Artifact[]> {
  const found = await Promise.all(changed.map(async (path) => {
    const entry = await files.stat(path);
    return entry?.kind === "file" ? _artifact(files, path, entry.size) : [];
  }));
  return found.flat();
}

function _artifact(files: FileStore, path: string, size: number): Artifact[] {
  const ending = /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase() ?? "";
  const mediaType = Object.hasOwn(_mediaTypes, ending)
    ? _mediaTypes[ending]
    : undefined;
  const bytes = () => _readAll(files, path);
  return [{ path, size, ...(mediaType && { mediaType }), bytes }];
}

async function _readAll(files: FileStore, path: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { bytes, eof } = await files.read(path, size, _chunkBytes);
    parts.push(bytes);
    size += bytes.byteLength;
    if (eof || bytes.byteLength === 0) break;
  }
  if (parts.length === 1) return parts[0]!;
  const out = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.byteLength;
  }
  return out;
}
