import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import type { V1Pod } from "@kubernetes/client-node";
import { thisOwner } from "./owner.ts";
import { containerAnnotation, ownerAnnotation } from "./pod.ts";
import { isLeft } from "./reap.ts";

const made = "2026-01-01T00:00:00Z";
const soon = Date.parse(made) + 60_000, late = Date.parse(made) + 3_600_000;

function pod(owner: string, phase: string, finishedAt?: string): V1Pod {
  const state = finishedAt ? { terminated: { finishedAt } } : { running: {} };
  return {
    metadata: {
      creationTimestamp: made,
      annotations: { [ownerAnnotation]: owner, [containerAnnotation]: "code" },
    },
    status: { phase, containerStatuses: [{ name: "code", state }] },
  } as unknown as V1Pod;
}

test("a pod of a process that is gone is left", () => {
  const { pid } = spawnSync(process.execPath, ["--version"]);
  const [host] = thisOwner().split("/");
  assert.ok(isLeft(pod(`${host}/${pid}/1`, "Running"), soon));
  // Its number was given to another process: to this one.
  assert.ok(isLeft(pod(`${host}/${process.pid}/1`, "Running"), soon));
});

test("a pod of a process that lives, or may live elsewhere, is not", () => {
  assert.equal(isLeft(pod(thisOwner(), "Running"), late), false);
  assert.equal(isLeft(pod("elsewhere/1/1", "Running"), late), false);
  assert.equal(isLeft(pod("no owner of ours", "Running"), late), false);
});

test("a pod that has ended is its owner's for a while", () => {
  const ended = pod("elsewhere/1/1", "Succeeded", made);
  assert.equal(isLeft(ended, soon), false);
  assert.ok(isLeft(ended, late));
  // A container beside keeps the pod running.
  assert.ok(isLeft(pod("elsewhere/1/1", "Running", made), late));
});
