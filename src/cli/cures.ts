import type { BackendName } from "../options.ts";

/** Why a backend cannot be used here, and what to do. */
export interface Obstacle {
  /** What stands in the way. */
  readonly why: string;
  /** What to do. */
  readonly cure: string;
}

/** Parts a probe's reason into what stands in the way and what to do; where it says no cure, there is one by kind. */
export function obstacleOf(
  name: BackendName,
  reason: string,
  available: readonly BackendName[],
): Obstacle {
  // An error reads "Cannot <action>: <state>. <cure>."
  const [, state, told] = /^(?:Cannot [^:]*: )?(.+?)\. ([A-Z].*?)\.?$/s
    .exec(reason) ?? [];
  if (state !== undefined) return { why: state, cure: told! };
  const [, left, imperative] =
    /^(.+?); ((?:ask|enable|install|join|take|update|use) .+)$/s.exec(reason) ??
      [];
  if (left !== undefined) {
    const cure = imperative![0]!.toUpperCase() + imperative!.slice(1);
    return { why: left, cure };
  }
  const use = available.length > 0
    ? `Use backend ${available.join(" or ")}`
    : "Correct what is said of the other backends";
  if (name === "hyperlight" && reason.includes("emulated")) {
    const slow = "--accept-emulated-hypervisor uses it, slowly";
    return {
      why: reason,
      cure: `Take a machine with virtualization in hardware; ${slow}`,
    };
  }
  return { why: reason, cure: use };
}
