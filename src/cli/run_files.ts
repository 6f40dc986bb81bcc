import { lstat, readdir } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { isSandboxError, SandboxError } from "../errors.ts";
import { cleanGuestPath } from "../files/guest_path.ts";
import type { Artifact } from "../result.ts";
import type { Session } from "../session.ts";
import { usage } from "./values.ts";

/** Something of the host's that is copied into the workspace. */
export interface CopyIn {
  /** Where it is. */
  readonly host: string;
  /** Where it goes. */
  readonly guest: string;
}

/** What `--copy HOST[:GUEST]` says; without GUEST it keeps its name. */
export function parseCopy(text: string): CopyIn {
  const at = text.lastIndexOf(":");
  const [host, guest] = at < 0
    ? [text, basename(resolve(text))]
    : [text.slice(0, at), text.slice(at + 1)];
  if (host !== "" && guest !== "") return { host, guest };
  const cure = "Give HOST, or HOST:GUEST";
  throw usage(`--copy ${JSON.stringify(text)}`, "a path is empty", cure);
}

/** An artifact, and where it was written or why it was not. */
export interface KeptArtifact {
  readonly path: string;
  readonly size: number;
  readonly mediaType?: string;
  /** Where it is on the host. */
  readonly file?: string;
  /** Why it was not written. */
  readonly refused?: { readonly code: string; readonly message: string };
}

/** Refuses a folder with something in it: the program chooses the names of what is written there. */
export async function checkArtifactsFolder(
  folder: string,
  overwrite: boolean,
): Promise<void> {
  let state: string;
  try {
    const names = await readdir(folder);
    if (names.length === 0 || overwrite) return;
    state = "it is not empty, and the program chooses names";
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code === "ENOENT") return;
    state = code === "ENOTDIR" ? "it is no folder" : message;
  }
  throw usage(
    `--artifacts ${JSON.stringify(folder)}`,
    state,
    "Name a new or empty folder, or add --overwrite",
  );
}

/** Writes what a run made below a folder of the host. One that cannot be written does not stop the others. */
export async function keepArtifacts(
  session: Session,
  artifacts: readonly Artifact[],
  folder: string | undefined,
  signal: AbortSignal,
): Promise<KeptArtifact[]> {
  const kept: KeptArtifact[] = [];
  for (const { path, size, mediaType } of artifacts) {
    const entry = { path, size, ...(mediaType && { mediaType }) };
    if (folder === undefined) {
      kept.push(entry);
      continue;
    }
    try {
      const file = await _placeOf(path, folder);
      await session.copyFromRuntime(path, file, { signal });
      kept.push({ ...entry, file });
    } catch (error) {
      if (isSandboxError(error, "ABORTED")) throw error;
      const { code, message } = error as { code?: string; message: string };
      kept.push({ ...entry, refused: { code: code ?? "INTERNAL", message } });
    }
  }
  return kept;
}

/** Where an artifact goes, after every step of the way was looked at: no link of the host's is followed. */
async function _placeOf(path: string, folder: string): Promise<string> {
  const action = `write artifact ${JSON.stringify(path)}`;
  const refused = (state: string) =>
    new SandboxError(
      "PATH_REFUSED",
      `Cannot ${action}: ${state}. Have the program give it another name.`,
    );
  const clean = cleanGuestPath(path, action);
  // deno-lint-ignore no-control-regex
  if (/[\x00-\x1f\x7f-\x9f\\]/.test(clean)) {
    throw refused("its name has control characters or backslashes");
  }
  const segments = clean.split("/");
  let place = resolve(folder);
  for (const [index, segment] of segments.entries()) {
    place = join(place, segment);
    const found = await lstat(place).catch(() => undefined);
    const last = index === segments.length - 1;
    if (last && found && !found.isFile()) {
      throw refused(`${place} is there and is no file`);
    }
    if (!last && found && !found.isDirectory()) {
      throw refused(`${place} is there and is no folder`);
    }
  }
  return place;
}
