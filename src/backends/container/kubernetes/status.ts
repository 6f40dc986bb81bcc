import type { V1ContainerStatus, V1Pod } from "@kubernetes/client-node";
import type { SandboxErrorCode } from "../../../errors.ts";
import type { Loss } from "../box.ts";
import { oneLine } from "./failure.ts";

/** Where a pod is on its way to running. */
export type PodState =
  | { readonly kind: "waiting"; readonly why: string }
  | { readonly kind: "running" }
  /** A node would not have it, or let go of it: another attempt may find room. */
  | { readonly kind: "rejected"; readonly why: string }
  /** Another attempt would end in the same way. */
  | {
    readonly kind: "failed";
    readonly code: SandboxErrorCode;
    readonly state: string;
    readonly cure: string;
  };

const _imageReasons = [
  "ErrImagePull",
  "ImagePullBackOff",
  "ErrImageNeverPull",
  "InvalidImageName",
  "ImageInspectError",
  "RegistryUnavailable",
  "SignatureValidationFailed",
];

const _configReasons = [
  "CreateContainerConfigError",
  "CreateContainerError",
  "PreCreateHookError",
  "PreStartHookError",
  "PostStartHookError",
  "RunContainerError",
  "CrashLoopBackOff",
];

/** Words of the kubelet for a pod that it does not admit, or no longer. */
const _rejections =
  /^(OutOf[\w-]+|UnexpectedAdmissionError|NodeAffinity|NodeShutdown|NodeLost|Preempting|Evicted|Terminated|Shutdown|TaintToleration|PodOSNotSupported)$/;

function _statuses(pod: V1Pod): readonly V1ContainerStatus[] {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ??
    {};
  return [...initContainerStatuses, ...containerStatuses];
}

/** The state of our container. */
export function statusOf(
  pod: V1Pod,
  container: string,
): V1ContainerStatus | undefined {
  return pod.status?.containerStatuses?.find(({ name }) => name === container);
}

/** Whether a pod's container runs, will, or never will. */
export function stateOf(pod: V1Pod, container: string): PodState {
  const { phase, reason = "", message = "", conditions = [] } = pod.status ??
    {};
  const main = statusOf(pod, container)?.state;
  if (main?.running && phase === "Running") return { kind: "running" };
  for (const { state, image } of _statuses(pod)) {
    const { reason: word = "", message: said = "" } = state?.waiting ?? {};
    if (_imageReasons.includes(word)) {
      return {
        kind: "failed",
        code: "GUEST_NOT_FOUND",
        state: `the node has no image ${image} (${word}: ${oneLine(said)})`,
        cure:
          "Check the image's name; for a private registry give imagePullSecrets in runtimeConfigs.",
      };
    }
    if (_configReasons.includes(word)) {
      return {
        kind: "failed",
        code: "GUEST_INVALID",
        state: `the container cannot be made (${word}: ${oneLine(said)})`,
        cure: "Correct the image, podManifest or runtimeConfigs.",
      };
    }
  }
  if (phase === "Failed" && _rejections.test(reason)) {
    return { kind: "rejected", why: `${reason}: ${oneLine(message)}` };
  }
  if (phase === "Failed" && reason === "DeadlineExceeded") {
    return {
      kind: "failed",
      code: "TIMED_OUT",
      state: "its activeDeadlineSeconds passed",
      cure: "Give more in runtimeConfigs.",
    };
  }
  if (phase === "Failed" || phase === "Succeeded" || main?.terminated) {
    const { exitCode, reason: word } = main?.terminated ?? {};
    const what = word === "StartError" || word === "ContainerCannotRun"
      ? `its main process cannot be started (${word})`
      : `it ended before it was used${
        exitCode === undefined ? "" : `, with exit code ${exitCode}`
      }`;
    return {
      kind: "failed",
      code: "GUEST_INVALID",
      state: `${what}${reason ? ` (${oneLine(reason)})` : ""}`,
      cure: "The image has to have sh, head and chmod.",
    };
  }
  const scheduled = conditions.find(({ type }) => type === "PodScheduled");
  const waiting = _statuses(pod).map(({ state }) => state?.waiting?.reason)
    .find((one) => one !== undefined);
  const why = scheduled?.status === "False"
    ? `${scheduled.reason}: ${oneLine(scheduled.message ?? "")}`
    : pod.spec?.nodeName === undefined
    ? "no scheduler has given it a node"
    : waiting ?? `node ${pod.spec.nodeName} has not begun with it`;
  return { kind: "waiting", why };
}

/** What became of a pod; undefined while its container seems to run. */
export function lossOf(
  pod: V1Pod | undefined,
  container: string,
): Loss | undefined {
  if (!pod) {
    return {
      code: "GUEST_CRASHED",
      state: "the pod was deleted from outside",
    };
  }
  const { phase, reason, message = "" } = pod.status ?? {};
  const ended = statusOf(pod, container)?.state?.terminated;
  if (ended?.reason === "OOMKilled") {
    return {
      code: "MEMORY_EXCEEDED",
      state: "the pod used more than its memory",
    };
  }
  if (reason === "DeadlineExceeded") {
    return {
      code: "TIMED_OUT",
      state: "the pod's activeDeadlineSeconds passed",
    };
  }
  if (reason === "Evicted") {
    const disk = /ephemeral|emptyDir|usage of/i.test(message);
    return {
      code: disk ? "DISK_EXCEEDED" : "GUEST_CRASHED",
      state: `the pod was evicted from its node (${oneLine(message)})`,
    };
  }
  if (pod.metadata?.deletionTimestamp) {
    const disrupted = pod.status?.conditions?.find(({ type, status }) =>
      type === "DisruptionTarget" && status === "True"
    );
    return {
      code: "GUEST_CRASHED",
      state: disrupted
        ? `the pod was evicted (${disrupted.reason ?? "DisruptionTarget"})`
        : "the pod was deleted from outside",
    };
  }
  if (reason && phase === "Failed") {
    return {
      code: "GUEST_CRASHED",
      state: `the pod failed (${oneLine(reason)}: ${oneLine(message)})`,
    };
  }
  if (ended) {
    const { exitCode, signal } = ended;
    const how = signal ? `by signal ${signal}` : `with exit code ${exitCode}`;
    return {
      code: "GUEST_CRASHED",
      state: `the pod's main process ended ${how}`,
    };
  }
  if (phase === "Failed" || phase === "Succeeded") {
    return { code: "GUEST_CRASHED", state: "the pod ended" };
  }
  return undefined;
}
