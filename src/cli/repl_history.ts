import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { printable } from "./terminal.ts";

const _mostLines = 1_000;
const _mostBytes = 262_144;

/** How many lines are kept. */
export const historySize = _mostLines;

/** Where the lines that were typed for a language are kept; undefined where there is no place for them. */
export function historyFile(
  lang: string,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const { XDG_STATE_HOME: state, HOME: home, LOCALAPPDATA: local } = env;
  const base = state?.startsWith("/")
    ? state
    : home
    ? join(home, ".local", "state")
    : local;
  return base && join(base, "mote", `history_${lang}`);
}

/** Lines that were typed before, the newest first. */
export async function readHistory(file: string): Promise<string[]> {
  try {
    const handle = await open(file, "r");
    try {
      const { size } = await handle.stat();
      const start = Math.max(0, size - _mostBytes);
      const { bytesRead, buffer } = await handle.read(
        new Uint8Array(Math.min(size, _mostBytes)),
        { position: start },
      );
      const text = new TextDecoder().decode(buffer.subarray(0, bytesRead));
      const lines = text.split("\n").slice(start > 0 ? 1 : 0);
      return lines.map(printable).filter((line) => line.trim() !== "")
        .slice(-_mostLines).reverse();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return [];
    throw error;
  }
}

/** Keeps lines, given the newest first; nobody else may read them. */
export async function writeHistory(
  file: string,
  lines: readonly string[],
): Promise<void> {
  let bytes = 0;
  const kept = lines.slice(0, _mostLines).map(printable).filter((line) =>
    (bytes += new TextEncoder().encode(line).length + 1) <= _mostBytes
  );
  const folder = dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const partial = `${file}.${crypto.randomUUID().slice(0, 8)}.part`;
  try {
    const handle = await open(partial, "wx", 0o600);
    try {
      await handle.writeFile(
        kept.reverse().map((line) => `${line}\n`).join(""),
      );
    } finally {
      await handle.close();
    }
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}
