import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isZero } from "./zeros.ts";

test("bytes are zeros when each of them is, wherever they begin", () => {
  const bytes = fc.array(fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 1), {
    maxLength: 40,
  });
  fc.assert(fc.property(bytes, fc.nat(9), (given, skipped) => {
    const whole = new Uint8Array([...new Array(skipped).fill(7), ...given]);
    const part = whole.subarray(skipped);
    assert.equal(isZero(part), given.every((byte) => byte === 0));
  }));
});
