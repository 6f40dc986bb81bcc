import { Client } from "../../../ffi/client.ts";
import type { SessionHandle } from "../../../ffi/core.ts";
import { loadLibrary } from "../../../ffi/load.ts";
import { SandboxError } from "../../errors.ts";
import type { ResolvedLimits } from "../../options.ts";
import type { Progress } from "../../result.ts";
import type { BackendStatus, OpenSpec, Wall } from "../backend.ts";
import { failureOf, statusError } from "./errors.ts";
import { closeSession, NativeWall } from "./wall.ts";

/** An engine of the native library. */
export type EngineName = "wasm" | "hyperlight";

const _mib = 1_048_576;

let _client: Promise<Client> | undefined;

function _connect(): Promise<Client> {
  return _client ??= loadLibrary().then(
    (library) => new Client(library),
  ).catch((error) => {
    _client = undefined;
    throw error;
  });
}

/** Asks an engine of the library whether it can be used on this machine. */
export async function probeEngine(engine: EngineName): Promise<BackendStatus> {
  try {
    const client = await _connect();
    return await new Promise((resolve) =>
      client.probe({
        done: (head) => resolve(_status(engine, head, client.path)),
        refused: (status) =>
          resolve({ available: false, reason: statusError(status).message }),
      })
    );
  } catch (error) {
    return { available: false, reason: (error as Error).message };
  }
}

/** Loads the library, which then prepares what every session needs. */
export async function connectEngines(): Promise<void> {
  if (!_client) await _connect();
}

/** Opens a session of an engine of the library. */
export async function openEngine(
  engine: EngineName,
  spec: OpenSpec,
): Promise<Wall> {
  const client = await _connect();
  const head = _head(engine, spec);
  const session = await _open(client, head, spec);
  const { signal: _, onProgress: __, ...lasting } = spec;
  return new NativeWall(client, session, () => _open(client, head, lasting));
}

function _status(
  engine: EngineName,
  head: Record<string, unknown>,
  path: string,
): BackendStatus {
  const failure = failureOf(head);
  if (failure) return { available: false, reason: failure.message };
  const answers = (head.ok ?? {}) as Record<string, unknown>;
  const { available, reason, ...details } = (answers[engine] ?? {}) as Partial<
    BackendStatus
  >;
  return {
    available: available === true,
    reason: reason ?? "the library says nothing of it",
    details: { library: path, ...details },
  };
}

function _head(engine: EngineName, spec: OpenSpec): string {
  const head = JSON.stringify({
    backend: engine,
    lang: spec.lang,
    image: spec.image,
    ...spec.guest && { guest: spec.guest, acceptEmulated: spec.acceptEmulated },
    cacheDir: spec.cacheDir,
    interactive: spec.interactive,
    env: spec.env,
    tools: spec.tools,
    seed: null,
    ...spec.filesOf instanceof NativeWall && { filesOf: spec.filesOf.handle },
  });
  return `${head.slice(0, -1)},"limits":${_limits(spec.limits)}}`;
}

// Sessions without limits of their own share one object.
const _written = new WeakMap<ResolvedLimits, string>();

function _limits(limits: ResolvedLimits): string {
  let text = _written.get(limits);
  if (text) return text;
  text = JSON.stringify({
    timeMs: limits.timeMs,
    cpuMs: limits.cpuMs,
    memoryBytes: limits.memoryMb * _mib,
    outputBytes: limits.outputBytes,
    truncateOutput: limits.onOutputLimit === "truncate",
    workspaceBytes: limits.workspaceMb * _mib,
    workspaceFiles: limits.workspaceFiles,
    toolCalls: limits.toolCalls,
    toolBytes: limits.toolBytes,
    toolTimeMs: limits.toolTimeMs,
  });
  _written.set(limits, text);
  return text;
}

function _open(
  client: Client,
  head: string,
  spec: OpenSpec,
): Promise<SessionHandle> {
  return new Promise((resolve, reject) => {
    let state: "opening" | "unwanted" | "ended" = "opening";
    // A compilation that cannot be stopped goes on for the next session; the
    // session that nobody wants any more is closed when it is done.
    const giveUp = (reason: unknown) => {
      if (state !== "opening") return;
      state = "unwanted";
      reject(reason);
      queueMicrotask(() => client.interrupt(session, request));
    };
    const abort = () => giveUp(spec.signal?.reason);
    const [session, request] = client.open(head, {
      progress(head) {
        try {
          spec.onProgress?.(head as unknown as Progress);
        } catch (error) {
          giveUp(error);
        }
      },
      done(head) {
        const wanted = state === "opening";
        state = "ended";
        spec.signal?.removeEventListener("abort", abort);
        const failure = failureOf(head);
        // This may be called before open() has given the handle.
        queueMicrotask(() => {
          if (wanted && !failure) return resolve(session);
          closeSession(client, session).catch(() => {}).then(() => {
            if (failure) {
              reject(new SandboxError(failure.code, failure.message));
            }
          });
        });
      },
      refused(status) {
        state = "ended";
        reject(statusError(status));
      },
    });
    if (state !== "opening") return;
    spec.signal?.addEventListener("abort", abort);
    if (spec.signal?.aborted) abort();
  });
}
