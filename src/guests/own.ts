import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { GuestImage } from "../backends/backend.ts";
import { SandboxError } from "../errors.ts";
import type { Progress } from "../result.ts";
import { buildGuest, type Built, crateFolder } from "./build.ts";
import { invalidElf, readElf } from "./elf.ts";
import type { GuestTarget } from "./compile.ts";

/** Options of {@linkcode findOwnGuest}. */
export interface OwnGuestOptions {
  /** Where guests are kept, absolute. */
  readonly cacheDir: string;
  /** Keeps the build folder of a crate. @default false */
  readonly keepTemplate?: boolean | undefined;
  /** How long a build may take, in ms. @default 600_000; 1_000 to 7_200_000 */
  readonly buildTimeoutMs?: number | undefined;
  /** What to build for. @default "x86_64-hyperlight-none" */
  readonly target?: GuestTarget | undefined;
  /** Cancels the build. */
  readonly signal?: AbortSignal | undefined;
  /** Is told how far a build is. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

const _mostElfBytes = 268_435_456;

/** The guest at a path: an ELF file as it is, or what the crate in a folder is built to. */
export async function findOwnGuest(
  path: string,
  options: OwnGuestOptions,
): Promise<GuestImage> {
  const at = resolve(path);
  const data = await stat(at).catch((cause) => {
    throw new SandboxError(
      "GUEST_NOT_FOUND",
      `Cannot use guest ${path}: ${
        (cause as Error).message
      }. Give the path of an ELF file, or of a folder with a Cargo.toml.`,
      { cause },
    );
  });
  if (data.isDirectory()) {
    const { guest } = await buildOwnGuest(at, options);
    return { path: guest.path, sha256: guest.sha256 };
  }
  if (data.size > _mostElfBytes) {
    throw invalidElf(path, "its file is larger than 256 MiB", "Strip it");
  }
  const bytes = await readFile(at);
  readElf(bytes, path);
  return { path: at, sha256: createHash("sha256").update(bytes).digest("hex") };
}

/** Builds the crate in a folder; without one, the template that comes with Mote. */
export async function buildOwnGuest(
  dir: string | undefined,
  { buildTimeoutMs, ...options }: OwnGuestOptions,
): Promise<Built> {
  const template = await _template();
  if (dir === undefined && template === undefined) {
    throw new SandboxError(
      "GUEST_NOT_FOUND",
      "Cannot build the template: it is not beside this module. Install the package from npm, or give the folder of a crate.",
    );
  }
  const env = Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] =>
      entry[1] !== undefined
    ),
  );
  return await buildGuest(
    await crateFolder(dir ?? template!),
    { ...options, env, timeoutMs: buildTimeoutMs },
    template,
  );
}

async function _template(): Promise<string | undefined> {
  const url = new URL("../../guests/template", import.meta.url);
  if (url.protocol !== "file:") return undefined;
  const path = fileURLToPath(url);
  return await stat(path).then(() => path, () => undefined);
}
