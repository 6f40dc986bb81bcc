import { link, mkdir, readFile, rename, rm, utimes } from "node:fs/promises";
import { stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import process from "node:process";
import { throwIfAborted } from "../host_error.ts";

const _beatMs = 1_000;
const _staleMs = 15_000;
const _lookMs = 100;

/** What a holder writes into its lock. */
interface Holder {
  readonly pid: number;
  readonly token: string;
}

/** Options of {@linkcode withLock}. */
export interface LockOptions {
  /** Stops waiting. */
  readonly signal?: AbortSignal | undefined;
  /** What is waited for, for the error when it is aborted. */
  readonly action: string;
  /** Is told once when somebody else holds the lock. */
  readonly onWait?: (() => void) | undefined;
}

/** Does work that one process at a time may do. The lock of a process that died is taken over. */
export async function withLock<T>(
  file: string,
  options: LockOptions,
  work: () => Promise<T>,
): Promise<T> {
  const token = crypto.randomUUID();
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  let waited = false;
  while (!await _take(file, token)) {
    if (!waited) options.onWait?.();
    waited = true;
    await _removeStale(file);
    throwIfAborted(options.signal, options.action);
    await new Promise((resolve) => setTimeout(resolve, _lookMs));
  }
  const beat = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch(() => {});
  }, _beatMs);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    if ((await _holder(file))?.token === token) await rm(file, { force: true });
  }
}

/** Makes the lock whole or not at all: a link to a written file, so that nobody reads half of one. */
async function _take(file: string, token: string): Promise<boolean> {
  const own = `${file}.${token}`;
  await writeFile(own, JSON.stringify({ pid: process.pid, token }));
  try {
    await link(own, file);
    return true;
  } catch (error) {
    if ((error as { code?: string }).code !== "EEXIST") throw error;
    return false;
  } finally {
    await rm(own, { force: true });
  }
}

async function _holder(file: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch {
    return undefined;
  }
}

async function _removeStale(file: string): Promise<void> {
  const holder = await _holder(file);
  const age = await stat(file).then(({ mtimeMs }) => Date.now() - mtimeMs)
    .catch(() => 0);
  if (!holder || (_alive(holder.pid) && age < _staleMs)) return;
  const aside = `${file}.${crypto.randomUUID()}`;
  try {
    await rename(file, aside);
  } catch {
    return;
  }
  // Somebody may have taken it over between the look and the rename.
  const taken = await _holder(aside);
  if (taken && taken.token !== holder.token) {
    await link(aside, file).catch(() => {});
  }
  await rm(aside, { force: true });
}

function _alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === "EPERM";
  }
}
