import { SandboxError, type SandboxErrorCode } from "../../../errors.ts";
import { addressOf, type Endpoint, type EngineName } from "./endpoint.ts";

/** An error as dockerode, the socket or TLS reports it. */
interface Reported {
  readonly code?: unknown;
  readonly statusCode?: unknown;
  readonly message?: unknown;
  readonly json?: { readonly message?: unknown } | null;
  readonly cause?: unknown;
}

/** Status of an answer that refused; undefined when there was none. */
export function statusOf(error: unknown): number | undefined {
  const status = (error as Reported | null)?.statusCode;
  return typeof status === "number" ? status : undefined;
}

/** The engine's own words, in one line of 500 characters at most. */
export function wordsOf(error: unknown): string {
  const { json, message } = (error ?? {}) as Reported;
  const words = typeof json?.message === "string"
    ? json.message
    : String(message ?? error);
  return oneLine(words);
}

/** Text from an engine as the middle of a message. */
export function oneLine(text: string, longest = 500): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, " ").trim().replace(/[.:]+$/, "");
  return line.length > longest ? `…${line.slice(-longest)}` : line;
}

const _notRunning: Record<EngineName, string> = {
  docker:
    "Start it, for example with `systemctl start docker`, or set DOCKER_HOST",
  podman:
    "Start its service, for example with `systemctl --user start podman.socket`, or set CONTAINER_HOST",
};

const _notAllowed: Record<EngineName, string> = {
  docker:
    "Add the user to the group `docker` and log in anew, or use a rootless engine",
  podman:
    "Use the service of this user: `systemctl --user start podman.socket`",
};

/** What it means that an engine could not be talked to; undefined when it answered. */
export function connectionFault(
  engine: EngineName,
  endpoint: Endpoint,
  error: unknown,
): { state: string; cure: string } | undefined {
  if (statusOf(error) !== undefined) return undefined;
  const code = _codeOf(error);
  const where = `${addressOf(endpoint)} (${endpoint.from})`;
  switch (code) {
    case "ENOENT":
      return {
        state: `there is no socket ${where}`,
        cure: _notRunning[engine],
      };
    case "ECONNREFUSED":
      return {
        state: `nothing listens at ${where}`,
        cure: _notRunning[engine],
      };
    case "EACCES":
    case "EPERM":
      return {
        state: `this user may not use ${where}`,
        cure: _notAllowed[engine],
      };
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return { state: `the name of ${where} is not known`, cure: "Correct it" };
  }
  const words = wordsOf(error);
  if (
    /CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO|certificate|handshake/i.test(
      `${code} ${words}`,
    )
  ) {
    return {
      state: `TLS with ${where} failed, ${words}`,
      cure:
        "Check the certificates of DOCKER_CERT_PATH or the context, and that their host is the one in the address",
    };
  }
  return {
    state: `${where} does not answer, ${words}`,
    cure: `Check that ${engine} runs there`,
  };
}

/** The error for something that an engine refused, or could not be asked. */
export function engineError(
  engine: EngineName,
  endpoint: Endpoint,
  action: string,
  error: unknown,
  refused: { code: SandboxErrorCode; cure: string } = {
    code: "BACKEND_UNAVAILABLE",
    cure: `Look into the log of ${engine}`,
  },
): unknown {
  if (error instanceof SandboxError) return error;
  const fault = connectionFault(engine, endpoint, error);
  const code = fault ? "BACKEND_UNAVAILABLE" : refused.code;
  const state = fault?.state ?? `${engine} says ${wordsOf(error)}`;
  const cure = fault?.cure ?? refused.cure;
  return new SandboxError(code, `Cannot ${action}: ${state}. ${cure}.`, {
    cause: error,
  });
}

/** Deno keeps some codes in the cause or the message only. */
function _codeOf(error: unknown): string {
  const { code, cause, message } = (error ?? {}) as Reported;
  if (typeof code === "string") return code;
  const inner = (cause as Reported | undefined)?.code;
  if (typeof inner === "string") return inner;
  const text = String(message);
  if (/os error 2\b/.test(text)) return "ENOENT";
  if (/os error 13\b/.test(text)) return "EACCES";
  if (/os error 111\b/.test(text)) return "ECONNREFUSED";
  return "";
}
