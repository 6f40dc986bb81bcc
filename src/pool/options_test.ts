import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parsePoolOptions } from "./options.ts";

test("every default of the docs is the one in force", () => {
  const { limits } = parsePoolOptions(undefined);
  const source = readFileSync(new URL("options.ts", import.meta.url), "utf8");
  const body = /export interface PoolLimits \{([^]*?)\n\}/.exec(source)![1]!;
  const documented = Object.fromEntries(
    [...body.matchAll(/@default ("?[\w_]+"?)[^]*?\n\s+(\w+)\?:/g)].map(
      ([, text, name]) => [name, JSON.parse(text!.replaceAll("_", ""))],
    ),
  );
  assert.deepEqual(documented, { ...limits });
  const page = readFileSync(
    new URL("../../docs/pool.md", import.meta.url),
    "utf8",
  );
  const rows = Object.fromEntries(
    [...page.matchAll(/^\| `(\w+)` \| `?("?[\w,]+"?)`? \|/gm)].map(
      ([, name, text]) => [name, JSON.parse(text!.replaceAll(",", ""))],
    ),
  );
  assert.deepEqual(rows, { ...limits });
});

test("options of the pool and of its sessions are told apart", () => {
  const { limits, session } = parsePoolOptions({
    max: 3,
    lang: "javascript",
    timeoutMs: 5,
  });
  assert.equal(limits.max, 3);
  assert.equal(session.lang, "javascript");
  assert.equal(session.limits.timeMs, 5);
  assert.equal("max" in session, false);
});
