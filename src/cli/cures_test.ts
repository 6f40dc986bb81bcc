import assert from "node:assert/strict";
import { test } from "node:test";
import { surface } from "../../tests/cli/surface.ts";
import { obstacleOf } from "./cures.ts";
import { showBackends } from "./probe.ts";

test("a reason is parted into what stands in the way and what to do", () => {
  const cases: [Parameters<typeof obstacleOf>, string, string][] = [
    [
      ["hyperlight", "there is no /dev/kvm; enable it in the firmware", []],
      "there is no /dev/kvm",
      "Enable it in the firmware",
    ],
    [
      [
        "kubernetes",
        "Cannot reach the cluster: no kubeconfig. Set KUBECONFIG.",
        [],
      ],
      "no kubeconfig",
      "Set KUBECONFIG",
    ],
    [
      ["docker", "docker is not part of this version of Mote", ["wasm"]],
      "docker is not part of this version of Mote",
      "Use backend wasm",
    ],
  ];
  for (const [args, why, cure] of cases) {
    assert.deepEqual(obstacleOf(...args), { why, cure });
  }
  const slow = obstacleOf("hyperlight", "it works but is emulated (1 µs)", []);
  assert.match(slow.cure, /--accept-emulated-hypervisor/);
});

test("the table names every backend, what to do, and what auto takes", () => {
  const no = { available: false, reason: "it is \x1b[31mnot there" };
  const found = {
    wasm: { available: true, reason: "runs here" },
    hyperlight: no,
    docker: no,
    podman: no,
    kubernetes: no,
  };
  const to = surface();
  showBackends(
    to,
    found,
    (name) =>
      found[name].available ? undefined : { why: no.reason, cure: "Get one" },
  );
  assert.ok(!to.text.out.includes("\x1b"));
  assert.match(to.text.out, /^BACKEND +WORKS +WHY\nwasm +yes +runs here\n/);
  assert.match(
    to.text.out,
    /^docker +no +it is {2}\[31mnot there\n +→ Get one\.$/m,
  );
  assert.match(to.text.out, /^auto +yes +takes wasm$/m);
});
