import assert from "node:assert/strict";
import { test } from "node:test";
import type { V1Pod } from "@kubernetes/client-node";
import { lossOf, stateOf } from "./status.ts";

type Status = { [field: string]: unknown };

function pod(status: Status, metadata: Status = {}): V1Pod {
  return {
    metadata,
    spec: { nodeName: "n1", containers: [] },
    status,
  } as unknown as V1Pod;
}

function main(state: Status): Status {
  return { containerStatuses: [{ name: "mote", image: "own:1", state }] };
}

const waiting = (reason: string) =>
  pod({ phase: "Pending", ...main({ waiting: { reason, message: "said" } }) });

test("images that a node cannot have", () => {
  for (
    const reason of ["ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull"]
  ) {
    const state = stateOf(waiting(reason), "mote");
    assert.equal(state.kind === "failed" && state.code, "GUEST_NOT_FOUND");
    assert.match(JSON.stringify(state), /own:1.*said/);
  }
});

test("containers that cannot be made", () => {
  const state = stateOf(waiting("CreateContainerConfigError"), "mote");
  assert.equal(state.kind === "failed" && state.code, "GUEST_INVALID");
});

test("waiting says for what", () => {
  const conditions = [{
    type: "PodScheduled",
    status: "False",
    reason: "Unschedulable",
    message: "0/3 nodes are available.",
  }];
  const unscheduled = stateOf(pod({ phase: "Pending", conditions }), "mote");
  assert.deepEqual(unscheduled, {
    kind: "waiting",
    why: "Unschedulable: 0/3 nodes are available",
  });
  const making = stateOf(waiting("ContainerCreating"), "mote");
  assert.deepEqual(making, { kind: "waiting", why: "ContainerCreating" });
});

test("a node that has no room is no failure", () => {
  for (
    const reason of [
      "OutOfpods",
      "OutOfcpu",
      "OutOfmemory",
      "OutOfephemeral-storage",
      "NodeShutdown",
      "Evicted",
      "UnexpectedAdmissionError",
    ]
  ) {
    const state = stateOf(pod({ phase: "Failed", reason }), "mote");
    assert.equal(state.kind, "rejected", reason);
  }
});

test("a main process that ended or could not begin", () => {
  const begun = pod({
    phase: "Failed",
    ...main({ terminated: { exitCode: 127, reason: "Error" } }),
  });
  const state = stateOf(begun, "mote");
  assert.match(JSON.stringify(state), /GUEST_INVALID.*exit code 127/);
  const never = pod({
    phase: "Failed",
    ...main({ terminated: { exitCode: 128, reason: "StartError" } }),
  });
  assert.match(JSON.stringify(stateOf(never, "mote")), /StartError/);
});

test("what became of a pod", () => {
  const ended = (state: Status, more: Status = {}) =>
    lossOf(pod({ phase: "Failed", ...main(state), ...more }), "mote");
  assert.equal(lossOf(undefined, "mote")?.code, "GUEST_CRASHED");
  assert.equal(
    ended({ terminated: { exitCode: 137, reason: "OOMKilled" } })?.code,
    "MEMORY_EXCEEDED",
  );
  assert.equal(ended({}, { reason: "DeadlineExceeded" })?.code, "TIMED_OUT");
  const message = "Usage of EmptyDir volume exceeds the limit";
  assert.equal(
    ended({}, { reason: "Evicted", message })?.code,
    "DISK_EXCEEDED",
  );
  assert.match(
    ended({ terminated: { exitCode: 3 } })?.state ?? "",
    /exit code 3/,
  );
  const running = pod({ phase: "Running", ...main({ running: {} }) });
  assert.equal(lossOf(running, "mote"), undefined);
  const leaving = pod({ phase: "Running", ...main({ running: {} }) }, {
    deletionTimestamp: "2026-01-01T00:00:00Z",
  });
  assert.match(lossOf(leaving, "mote")?.state ?? "", /deleted from outside/);
});

test("words of others cannot break a message", () => {
  const state = stateOf(
    pod({ phase: "Failed", reason: "Evicted", message: "a\u001b[2J\nb" }),
    "mote",
  );
  assert.equal(state.kind === "rejected" && state.why, "Evicted: a [2J b");
});
