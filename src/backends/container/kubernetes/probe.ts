import { isSandboxError } from "../../../errors.ts";
import type { BackendStatus } from "../../backend.ts";
import { Cluster } from "./cluster.ts";
import { explain, isFailure } from "./failure.ts";

/** What a session needs to be allowed. */
const _needs = [
  { verb: "create", resource: "pods" },
  { verb: "get", resource: "pods" },
  { verb: "watch", resource: "pods" },
  { verb: "delete", resource: "pods" },
  // Of a WebSocket some versions ask the one, and later ones both.
  { verb: "get", resource: "pods", subresource: "attach" },
  { verb: "create", resource: "pods", subresource: "attach" },
] as const;

const _limitMs = 5_000;

/** Whether the cluster answers and lets pods be made; takes 5 s at most. */
export async function probeCluster(): Promise<BackendStatus> {
  const signal = AbortSignal.timeout(_limitMs);
  let cluster: Cluster | undefined;
  try {
    cluster = await Cluster.load();
    const { server, context, namespace } = cluster;
    const [{ gitVersion }, ...allowed] = await Promise.all([
      cluster.call<{ gitVersion: string }>("/version", {
        signal,
        timeoutMs: _limitMs,
      }).catch((error) => {
        // Some clusters tell it to nobody.
        if (isFailure(error, 403)) return { gitVersion: "of unknown version" };
        throw error;
      }),
      ..._needs.map((need) => _allowed(cluster!, namespace, need, signal)),
    ]);
    const details = {
      version: gitVersion,
      context,
      namespace,
      server,
      network:
        "cut by a NetworkPolicy, which holds only where the cluster's network enforces them",
    };
    const at = `context ${context}, namespace ${namespace}`;
    const missing = _needs.filter((_, index) => !allowed[index]);
    if (missing.length > 0) {
      const words = missing.map((need) =>
        `${need.verb} ${need.resource}${
          "subresource" in need ? `/${need.subresource}` : ""
        }`
      );
      return {
        available: false,
        reason: `Kubernetes ${gitVersion} answers, but the account may not ${
          words.join(", ")
        } (${at}). Give it the rules of docs/kubernetes.md.`,
        details,
      };
    }
    return {
      available: true,
      reason: `Kubernetes ${gitVersion} answers (${at})`,
      details,
    };
  } catch (error) {
    const known = explain(error, "reach the cluster", cluster?.namespace ?? "");
    const details = cluster && {
      context: cluster.context,
      namespace: cluster.namespace,
      server: cluster.server,
    };
    if (isSandboxError(known, "ABORTED")) {
      return {
        available: false,
        reason: `the API server at ${cluster?.server} did not answer in ${
          _limitMs / 1000
        } s. Check that the cluster runs and can be reached.`,
        ...(details && { details }),
      };
    }
    return {
      available: false,
      reason: (known as Error).message,
      ...(details && { details }),
    };
  }
}

async function _allowed(
  cluster: Cluster,
  namespace: string,
  need: { verb: string; resource: string; subresource?: string },
  signal: AbortSignal,
): Promise<boolean> {
  const { status } = await cluster.call<{ status?: { allowed?: boolean } }>(
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    {
      method: "POST",
      signal,
      timeoutMs: _limitMs,
      body: {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SelfSubjectAccessReview",
        spec: { resourceAttributes: { namespace, group: "", ...need } },
      },
    },
  );
  return status?.allowed === true;
}
