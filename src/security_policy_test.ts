import { Ajv } from "ajv";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { SandboxError } from "./errors.ts";
import { policyFromJson } from "./security_policy.ts";

const schema = JSON.parse(
  readFileSync(new URL("../docs/policy.schema.json", import.meta.url), "utf8"),
);

function accepts(value: unknown): boolean {
  try {
    policyFromJson(JSON.stringify(value));
    return true;
  } catch (error) {
    assert.ok(error instanceof SandboxError);
    assert.equal(error.code, "INVALID_OPTION");
    assert.match(error.message, /^Cannot [^:]+: .+\. .+\.$/s);
    return false;
  }
}

const good: unknown[] = [
  {},
  { $schema: "https://example.com/policy.schema.json" },
  { patterns: [] },
  { patterns: [{ pattern: "a+" }, { query: "(call) @x" }] },
  {
    patterns: [{
      pattern: "a",
      description: "b",
      severity: "low",
      languages: ["python"],
    }],
  },
  { restrictedModules: [{ name: "os" }, { name: "@scope/x" }] },
  {
    restrictedModules: [{
      name: "os",
      description: "d",
      severity: "safe",
      languages: ["python", "r"],
      alternatives: ["pathlib"],
    }],
  },
  { restrictedCalls: [{ name: "os.system" }, { name: "subprocess.*" }] },
  { restrictedCalls: [{ name: "`", languages: ["ruby"] }] },
  { allowedModules: ["math", "sys/socket.h"] },
  { severityThreshold: "high", dynamic: "low", parseError: "medium" },
  { allowedModules: Array.from({ length: 1_000 }, () => "x") },
];

const bad: unknown[] = [
  [],
  "strict",
  null,
  { unknown: 1 },
  { patterns: {} },
  { patterns: [{}] },
  { patterns: [{ pattern: "a", query: "(b) @c" }] },
  { patterns: [{ pattern: "" }] },
  { patterns: [{ pattern: " " }] },
  { patterns: [{ pattern: "a".repeat(1_001) }] },
  { patterns: [{ query: "a".repeat(4_001) }] },
  { patterns: [{ pattern: "a", severity: "worst" }] },
  { patterns: [{ pattern: "a", name: "b" }] },
  { patterns: Array.from({ length: 101 }, () => ({ pattern: "a" })) },
  { restrictedModules: ["os"] },
  { restrictedModules: [{}] },
  { restrictedModules: [{ name: "" }] },
  { restrictedModules: [{ name: "a b" }] },
  { restrictedModules: [{ name: "a".repeat(201) }] },
  { restrictedModules: [{ name: "os", alternatives: [""] }] },
  { restrictedModules: [{ name: "os", languages: ["Python"] }] },
  { restrictedCalls: [{ name: 1 }] },
  { allowedModules: [1] },
  { allowedModules: Array.from({ length: 1_001 }, () => "x") },
  { severityThreshold: "none" },
  { dynamic: true },
  { parseError: 1 },
];

test("the published schema and the code agree", () => {
  const validate = new Ajv({ strict: false }).compile(schema);
  for (const [values, expected] of [[good, true], [bad, false]] as const) {
    for (const value of values) {
      const shown = JSON.stringify(value)?.slice(0, 100);
      assert.equal(accepts(value), expected, `policyFromJson: ${shown}`);
      assert.equal(validate(value), expected, `schema: ${shown}`);
    }
  }
});

test("the schema has every field that the code knows, and no other", () => {
  const refusedByCode = (value: unknown) => {
    try {
      policyFromJson(JSON.stringify(value));
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  };
  const fields = (properties: object) => Object.keys(properties);
  for (const field of fields(schema.properties)) {
    const message = refusedByCode({ [field]: { x: 1 } });
    assert.ok(!message.includes("no such option"), field);
  }
  for (const list of ["patterns", "restrictedModules", "restrictedCalls"]) {
    const items = schema.properties[list].items;
    const { properties } = items.$ref ? schema.definitions.restricted : items;
    for (const field of fields(properties)) {
      const message = refusedByCode({ [list]: [{ [field]: { x: 1 } }] });
      assert.ok(!message.includes("no such option"), `${list}.${field}`);
    }
  }
});

test("what is no JSON is refused with what is wrong", () => {
  assert.throws(() => policyFromJson("{ nope"), /it is no JSON/);
  assert.deepEqual(policyFromJson({ dynamic: "low" }), { dynamic: "low" });
});
