import assert from "node:assert/strict";
import { test } from "node:test";
import { integer, nearest, object, record, string } from "./check.ts";

test("a whole number keeps to its bounds", () => {
  const check = integer(1, 10, "ms");
  assert.equal(check(1, "a"), 1);
  assert.equal(check(10, "a"), 10);
  for (const value of [0, 11, 1.5, NaN, "5", null, 5n, [5]]) {
    assert.throws(() => check(value, "a.b"), /a\.b.*1 to 10/);
  }
});

test("an unknown key is named together with the nearest known one", () => {
  const check = object<{ timeoutMs?: number; verbose?: number }>({
    timeoutMs: integer(0, 9, "ms"),
    verbose: integer(0, 9, ""),
  }, { memoryMb: "limits.memoryMb" });
  assert.throws(() => check({ timeout: 1 }, ""), /"timeout".*timeoutMs/);
  assert.throws(() => check({ memoryMb: 1 }, ""), /limits\.memoryMb/);
  assert.throws(() => check({ toString: 1 }, ""), /"toString"/);
  assert.throws(
    () => check(JSON.parse('{"__proto__":1}'), ""),
    /"__proto__"/,
  );
  assert.deepEqual(check({ verbose: undefined }, ""), {});
});

test("a record's keys cannot reach a prototype", () => {
  const check = record(string(), string());
  const made = check(JSON.parse('{"__proto__":"x","a":"b"}'), "env");
  assert.deepEqual(Object.entries(made), [["__proto__", "x"], ["a", "b"]]);
});

test("nearest sees through case and underscores", () => {
  const known = ["keepTemplate", "kubeNamespace", "libraries"];
  assert.equal(nearest("keep_template", known), "keepTemplate");
  assert.equal(nearest("KUBENAMESPACE", known), "kubeNamespace");
  assert.equal(nearest("library", known), "libraries");
});
