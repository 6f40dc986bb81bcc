import { SandboxError } from "../../../errors.ts";
import { unavailable } from "./config.ts";

/** A call that the API server refused, or that did not reach it. */
export class ApiFailure extends Error {
  /** The HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** The reason, in Kubernetes' or the system's own word. */
  readonly reason: string;

  /** Makes one; the message is the API server's. */
  constructor(status: number, reason: string, message: string) {
    super(message);
    this.name = "ApiFailure";
    this.status = status;
    this.reason = reason;
  }

  /** Whether the same call may succeed a little later. */
  get passing(): boolean {
    if (this.status === 0) {
      return this.reason !== "Aborted" && this.reason !== "LoginFailed";
    }
    return this.status === 429 || this.status >= 500 ||
      this.reason === "Conflict";
  }

  /** Whether a quota of the namespace is used up, which other pods' end changes. */
  get quota(): boolean {
    return this.status === 403 && /exceeded quota/.test(this.message);
  }
}

/** What an answer above 399 says. */
export function failureOf(status: number, text: string): ApiFailure {
  try {
    const { reason, message } = JSON.parse(text) as {
      reason?: unknown;
      message?: unknown;
    };
    if (typeof message === "string") {
      const word = typeof reason === "string" ? reason : `HTTP ${status}`;
      return new ApiFailure(status, word, oneLine(message));
    }
  } catch {
    // Not from the API server itself but from something before it.
  }
  return new ApiFailure(status, `HTTP ${status}`, oneLine(text) || "no text");
}

/** Others' words as a part of a message. */
export function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex -- they would break a terminal
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ").trim();
  const short = line.length > 600 ? `${line.slice(0, 600)}…` : line;
  return short.replace(/\.$/, "");
}

/** Whether `error` is of the API server, with that status if one is given. */
export function isFailure(
  error: unknown,
  status?: number,
): error is ApiFailure {
  return error instanceof ApiFailure &&
    (status === undefined || error.status === status);
}

/** What a failed call means for the user. */
export function explain(
  error: unknown,
  action: string,
  namespace: string,
): unknown {
  if (!(error instanceof ApiFailure)) return error;
  const { status, reason, message } = error;
  if (reason === "Aborted") {
    return new SandboxError(
      "ABORTED",
      `Cannot ${action}: the caller aborted it. Call again to start anew.`,
      { cause: error },
    );
  }
  if (status === 0) {
    return unavailable(
      `the API server does not answer (${message})`,
      "Check that the cluster of the kubeconfig's context runs and can be reached.",
      error,
    );
  }
  if (status === 401) {
    return unavailable(
      `the API server does not accept the login (${message})`,
      "Renew the credentials of the kubeconfig's user.",
      error,
    );
  }
  if (/violates PodSecurity/.test(message)) {
    return new SandboxError(
      "INVALID_OPTION",
      `Cannot ${action}: namespace ${namespace} does not admit such a pod (${message}). Leave out the rights that it refuses.`,
      { cause: error },
    );
  }
  if (
    status === 403 && /is forbidden: User|cannot \w+ resource/.test(message)
  ) {
    return unavailable(
      `${message}`,
      "Give the account the rules of docs/kubernetes.md, or choose a namespace where it has them.",
      error,
    );
  }
  if (status === 404 && /namespaces? /.test(message)) {
    return new SandboxError(
      "INVALID_OPTION",
      `Cannot ${action}: namespace ${namespace} does not exist. Create it, or give another as kubeNamespace.`,
      { cause: error },
    );
  }
  if ([400, 403, 409, 422].includes(status)) {
    return new SandboxError(
      "INVALID_OPTION",
      `Cannot ${action}: the API server refuses it (${message}). Correct podManifest or runtimeConfigs.`,
      { cause: error },
    );
  }
  return unavailable(
    `the API server answers ${status} (${message})`,
    "Call again when the cluster is well.",
    error,
  );
}
