import assert from "node:assert/strict";
import { test } from "node:test";
import { hostRules } from "./reach.ts";

test("a host is reached under its name and port alone", () => {
  const rules = hostRules([
    "example.com",
    "*.example.org",
    "example.net:443",
    "192.0.2.1:80",
    "[2001:db8::1]:80",
    "2001:db8::2",
  ]);
  const reached: readonly [string, number, string | undefined][] = [
    ["example.com", 1, "name"],
    ["EXAMPLE.com.", 80, "name"],
    ["www.example.com", 80, undefined],
    ["notexample.com", 80, undefined],
    ["example.org", 80, undefined],
    ["a.b.example.org", 80, "name"],
    ["evilexample.org", 80, undefined],
    ["example.net", 443, "name"],
    ["example.net", 80, undefined],
    ["192.0.2.1", 80, "address"],
    ["192.0.2.1", 81, undefined],
    ["2001:db8::1", 80, "address"],
    ["2001:db8::2", 5, "address"],
    ["127.0.0.1", 80, undefined],
    ["", 80, undefined],
  ];
  for (const [host, port, expected] of reached) {
    assert.equal(rules(host, port), expected, `${host}:${port}`);
  }
});

test("what is no host is refused", () => {
  for (
    const host of [
      "",
      "*",
      "*.",
      "http://example.com",
      "example.com/",
      "example.com:0",
      "example.com:99999",
      "a b",
      "*.*.com",
      "[::1",
      "-",
    ]
  ) {
    assert.throws(() => hostRules([host]), { code: "INVALID_OPTION" }, host);
  }
});
