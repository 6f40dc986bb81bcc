import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseRunOptions, parseSessionOptions } from "./options.ts";

test("every default of the docs is the one in force", () => {
  const { limits, backend, lang } = parseSessionOptions(undefined);
  const source = readFileSync(new URL("limits.ts", import.meta.url), "utf8");
  const body = /export interface Limits \{([^]*?)\n\}/.exec(source)![1]!;
  const value = (text: string) =>
    text === "none" ? null : JSON.parse(text.replaceAll("_", ""));
  const documented = new Map<string, unknown>();
  const contained = new Map<string, unknown>();
  for (
    const [, text, there, name] of body.matchAll(
      /@default ("?[\w_]+"?)(?:, in containers ([\d_]+))?[^]*?\n\s+(\w+)\?:/g,
    )
  ) {
    documented.set(name!, value(text!));
    contained.set(name!, value(there ?? text!));
  }
  assert.deepEqual(Object.fromEntries(documented), { ...limits });
  const { limits: inContainers } = parseSessionOptions({ backend: "docker" });
  assert.deepEqual(Object.fromEntries(contained), { ...inContainers });
  assert.equal(backend, "auto");
  assert.equal(lang, "python");
});

test("timeoutMs and limits.timeMs are one", () => {
  assert.equal(parseSessionOptions({ timeoutMs: 5 }).limits.timeMs, 5);
  assert.equal(parseSessionOptions({ limits: { timeMs: 6 } }).limits.timeMs, 6);
  const both = { timeoutMs: 7, limits: { timeMs: 7 } };
  assert.equal(parseSessionOptions(both).limits.timeMs, 7);
  assert.throws(
    () => parseSessionOptions({ timeoutMs: 7, limits: { timeMs: 8 } }),
    { code: "INVALID_OPTION" },
  );
});

test("run options are checked too", () => {
  assert.deepEqual(parseRunOptions(undefined), {});
  const stdin = new Uint8Array(2);
  assert.deepEqual(parseRunOptions({ stdin, args: ["a"] }), {
    stdin,
    args: ["a"],
  });
  assert.throws(() => parseRunOptions({ args: ["\0"] }), /args\[0\]/);
});

test("only containers may have more than 4 GiB", () => {
  const limits = { memoryMb: 5_000 };
  assert.throws(() => parseSessionOptions({ limits }), /1 to 4096/);
  const { memoryMb } =
    parseSessionOptions({ backend: "podman", limits }).limits;
  assert.equal(memoryMb, 5_000);
});
