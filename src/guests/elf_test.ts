import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fakeElf } from "../../tests/guests/fake_tools.ts";
import { hostAbi, hostHyperlight, readElf } from "./elf.ts";

const root = new URL("../../", import.meta.url);

test("a guest of this version is read", () => {
  assert.deepEqual(readElf(fakeElf(hostHyperlight, 1), "g"), {
    hyperlight: hostHyperlight,
    abi: 1,
    heapKib: 1_024,
  });
  assert.deepEqual(readElf(fakeElf(hostHyperlight), "g"), {
    hyperlight: hostHyperlight,
  });
});

test("a guest of another version is GUEST_INVALID, saying both", () => {
  assert.throws(() => readElf(fakeElf("0.17.0"), "g"), (error: Error) => {
    assert.equal((error as { code?: string }).code, "GUEST_INVALID");
    return error.message.includes("0.17.0") &&
      error.message.includes(hostHyperlight);
  });
  assert.throws(() => readElf(fakeElf(hostHyperlight, hostAbi + 1), "g"), {
    code: "GUEST_INVALID",
  });
});

test("what is no guest is GUEST_INVALID, wherever it is cut off", () => {
  const whole = fakeElf(hostHyperlight, 1);
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => readElf(whole.subarray(0, length), "g"), {
      code: "GUEST_INVALID",
    });
  }
  for (const text of ["#!/bin/sh\n", "\0asm\x01\0\0\0"]) {
    assert.throws(() => readElf(new TextEncoder().encode(text), "g"), {
      code: "GUEST_INVALID",
    });
  }
  const arm = fakeElf(hostHyperlight);
  arm[18] = 183;
  assert.throws(() => readElf(arm, "g"), { code: "GUEST_INVALID" });
});

test("no bytes make it do anything else", () => {
  const whole = fakeElf(hostHyperlight, 1);
  for (let at = 0; at < whole.length; at++) {
    for (const value of [0, 1, 127, 128, 255]) {
      const bent = whole.slice();
      bent[at] = value;
      try {
        readElf(bent, "g");
      } catch (error) {
        assert.equal((error as { code?: string }).code, "GUEST_INVALID");
      }
    }
  }
});

test("the versions are those of the library and the template", () => {
  const versionIn = (file: string, name: string) => {
    const text = readFileSync(new URL(file, root), "utf8");
    const pattern = new RegExp(`name = "${name}"\nversion = "([^"]+)"`);
    return pattern.exec(text)?.[1];
  };
  assert.equal(versionIn("Cargo.lock", "hyperlight-host"), hostHyperlight);
  for (const crate of ["template", "hostile-elf"]) {
    const file = `guests/${crate}/Cargo.lock`;
    assert.equal(versionIn(file, "hyperlight-guest-bin"), hostHyperlight);
  }
});
