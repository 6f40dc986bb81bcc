import type { Readable } from "node:stream";
import { SandboxError } from "../../../errors.ts";
import type { Progress } from "../../../result.ts";
import type { Client } from "./client.ts";
import { oneLine, statusOf, wordsOf } from "./faults.ts";

/** How long nothing may come from a pull or a build before it is given up, in ms. */
const _silentMs = 300_000;

const _lineBytes = 1_048_576;

/** One line of what an engine tells of long work. */
export interface Told {
  readonly id?: unknown;
  readonly status?: unknown;
  readonly stream?: unknown;
  readonly error?: unknown;
  readonly errorDetail?: { readonly message?: unknown };
  readonly progressDetail?: {
    readonly current?: unknown;
    readonly total?: unknown;
  };
}

/** Reads what an engine tells of long work, a line of JSON at a time; ends early when `signal` aborts. */
export async function listen(
  client: Client,
  action: string,
  body: Readable,
  signal: AbortSignal | undefined,
  hear: (told: Told) => void,
): Promise<void> {
  let late = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      late = true;
      body.destroy();
    }, _silentMs);
  };
  const abort = () => void body.destroy();
  signal?.addEventListener("abort", abort, { once: true });
  const decoder = new TextDecoder();
  let rest = "";
  try {
    if (signal?.aborted) abort();
    alive();
    for await (const chunk of body) {
      alive();
      rest += decoder.decode(chunk as Uint8Array, { stream: true });
      const lines = rest.split("\n");
      rest = lines.pop()!;
      if (rest.length > _lineBytes) throw new Error("a line has no end");
      for (const line of lines) _hear(line, hear);
    }
    _hear(rest, hear);
  } catch (error) {
    if (!late && !signal?.aborted) throw client.fault(action, error);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
    body.destroy();
  }
  if (late) {
    throw new SandboxError(
      "BACKEND_UNAVAILABLE",
      `Cannot ${action}: ${client.engine} said nothing for ${_silentMs} ms. Check its network and try again.`,
    );
  }
  if (signal?.aborted) {
    throw new SandboxError(
      "ABORTED",
      `Cannot ${action}: the caller aborted it. Call again to start anew.`,
      { cause: signal.reason },
    );
  }
}

function _hear(line: string, hear: (told: Told) => void): void {
  if (line.trim() === "") return;
  let told: unknown;
  try {
    told = JSON.parse(line);
  } catch {
    return;
  }
  if (typeof told === "object" && told !== null) hear(told as Told);
}

/** What an engine reported as the end of long work; undefined while it goes well. */
export function errorTold({ error, errorDetail }: Told): string | undefined {
  const words = errorDetail?.message ?? error;
  return words === undefined ? undefined : String(words);
}

/** The name with the tag that engines add by themselves: without one they would pull every tag there is. */
export function tagged(image: string): string {
  const last = image.slice(image.lastIndexOf("/") + 1);
  return last.includes(":") || image.includes("@") ? image : `${image}:latest`;
}

/** Gets an image from its registry. */
export async function pullImage(
  client: Client,
  image: string,
  auth: Record<string, string> | undefined,
  signal: AbortSignal | undefined,
  onProgress: ((progress: Progress) => void) | undefined,
): Promise<void> {
  const action = "pull an image";
  const missing = (words: string, cause?: unknown) =>
    new SandboxError(
      "GUEST_NOT_FOUND",
      `Cannot ${action}: ${client.engine} says of ${oneLine(image, 200)}, ${
        oneLine(words)
      }. Check the name, log in with \`${client.engine} login\` where it is private, or load it with \`${client.engine} load\`.`,
      { cause },
    );
  onProgress?.({
    stage: "download",
    done: 0,
    total: 0,
    text: `pulling ${image}`,
  });
  let body: Readable;
  try {
    body = await client.bounded(
      { action, timeMs: _silentMs, signal },
      (abortSignal) =>
        client.docker.createImage(auth, {
          fromImage: tagged(image),
          abortSignal,
        }),
    );
  } catch (error) {
    if (statusOf(error) === undefined) throw client.fault(action, error);
    throw missing(wordsOf(error), error);
  }
  const layers = new Map<string, { done: number; total: number }>();
  let failed: string | undefined;
  await listen(client, action, body, signal, (told) => {
    failed ??= errorTold(told);
    const { current, total } = told.progressDetail ?? {};
    if (typeof current !== "number" || typeof total !== "number") return;
    if (told.status !== "Downloading" || layers.size > 1_000) return;
    layers.set(String(told.id), { done: current, total });
    let [done, all] = [0, 0];
    for (const layer of layers.values()) {
      done += layer.done;
      all += layer.total;
    }
    const text = `pulling ${image}`;
    onProgress?.({ stage: "download", done, total: all, text });
  });
  if (failed !== undefined) throw missing(failed);
}
