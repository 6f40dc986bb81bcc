import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { test } from "node:test";
import {
  isAbandoned,
  labelOf,
  leaseMs,
  leaseOf,
  lives,
  newName,
  ownerOf,
  renewed,
  thisProcess,
} from "./leases.ts";

const hour = 3_600_000;

const self = thisProcess();

test("an owner survives being a label, and nothing else is one", () => {
  assert.deepEqual(ownerOf(labelOf(self)), self);
  for (const label of [undefined, "", 5, "x/1/2", `${self.host}/0/1`, "a/b"]) {
    assert.equal(ownerOf(label), undefined);
  }
});

test("a process lives, is dead, or cannot be seen", async () => {
  assert.equal(lives(self), true);
  assert.equal(lives({ ...self, host: "0123456789abcdef" }), undefined);
  const child = spawn(process.execPath, ["--version"], { stdio: "ignore" });
  await once(child, "exit");
  assert.equal(lives({ ...self, pid: child.pid!, started: "1" }), false);
});

test("a number that another process has now is not its owner", () => {
  if (process.platform !== "linux") return;
  assert.equal(
    lives({ ...self, started: `${Number(self.started) + 1}` }),
    false,
  );
});

test("a name says how long it is good, and can be renewed", () => {
  const name = newName(0);
  assert.equal(leaseOf(name), leaseMs);
  assert.equal(leaseOf(`/${name}`), leaseMs);
  const later = renewed(name, hour);
  assert.equal(leaseOf(later), leaseMs + hour);
  assert.equal(later.slice(0, 22), name.slice(0, 22));
  for (const other of ["mote", "mote-x-1", "web", "mote-0123-abc"]) {
    assert.equal(leaseOf(other), undefined);
  }
});

test("what nobody can need is abandoned, and nothing else", () => {
  const foreign = labelOf({ host: "0123456789abcdef", pid: 7, started: "9" });
  const held = (more: Partial<Parameters<typeof isAbandoned>[0]>) => ({
    owner: foreign,
    name: newName(0),
    running: true,
    createdMs: 0,
    ...more,
  });
  const dead = () => false;
  const alive = () => true;
  const unseen = () => undefined;
  assert.equal(isAbandoned(held({}), 1, dead), true);
  assert.equal(isAbandoned(held({ running: false }), 99 * hour, alive), false);
  assert.equal(isAbandoned(held({}), hour, unseen), false);
  assert.equal(isAbandoned(held({}), leaseMs + 1, unseen), true);
  assert.equal(isAbandoned(held({ running: false }), 60_000, unseen), false);
  assert.equal(isAbandoned(held({ running: false }), hour, unseen), true);
  assert.equal(isAbandoned(held({ name: "web" }), 99 * hour, dead), false);
  assert.equal(isAbandoned(held({ owner: "" }), 99 * hour, dead), false);
});
