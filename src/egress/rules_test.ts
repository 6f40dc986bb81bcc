import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalAddress, notPublic } from "./address.ts";
import { allows, canonicalHost, parseRule } from "./rules.ts";

const lets = (
  rule: Parameters<typeof parseRule>[0],
  url: string,
  method = "GET",
) => allows(parseRule(rule)!, method, new URL(url));

test("a host with and without a port", () => {
  assert.ok(lets("example.com", "https://example.com/"));
  assert.ok(lets("example.com", "http://EXAMPLE.com:8080/a?b"));
  assert.ok(lets("example.com:443", "https://example.com/"));
  assert.ok(!lets("example.com:443", "http://example.com/"));
  assert.ok(!lets("example.com:443", "https://example.com:444/"));
  assert.ok(lets("example.com", "https://example.com./"));
  assert.ok(!lets("example.com", "https://www.example.com/"));
  assert.ok(!lets("example.com", "https://example.com.evil.test/"));
  assert.ok(!lets("example.com", "https://notexample.com/"));
  assert.ok(lets("bücher.example", "https://xn--bcher-kva.example/"));
});

test("a wildcard is for names below, not for the name", () => {
  assert.ok(lets("*.example.com", "https://a.example.com/"));
  assert.ok(lets("*.example.com", "https://a.b.example.com/"));
  assert.ok(!lets("*.example.com", "https://example.com/"));
  assert.ok(!lets("*.example.com", "https://badexample.com/"));
});

test("an address is the same in every notation", () => {
  for (const host of ["127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1"]) {
    assert.equal(canonicalHost(host), "127.0.0.1", host);
    assert.ok(lets("127.0.0.1:80", `http://${host}/`), host);
  }
  assert.equal(canonicalHost("[::ffff:127.0.0.1]"), "127.0.0.1");
  assert.equal(canonicalHost("[::ffff:7f00:1]"), "127.0.0.1");
  assert.ok(lets("[2001:db8::1]:80", "http://[2001:DB8:0::1]/"));
  assert.ok(!lets("127.0.0.1", "http://127.0.0.2/"));
});

test("methods and the beginning of a path", () => {
  const rule = { host: "example.com", methods: ["get"], path: "/v1" };
  assert.ok(lets(rule, "https://example.com/v1"));
  assert.ok(lets(rule, "https://example.com/v1/a"));
  assert.ok(!lets(rule, "https://example.com/v1/a", "POST"));
  for (
    const path of [
      "/v2",
      "/v10",
      "/v1/../admin",
      "/v1/%2e%2e/admin",
      "/v1/..%2fadmin",
      "/v1/a%5c..%5cadmin",
      "//v1",
    ]
  ) assert.ok(!lets(rule, `https://example.com${path}`), path);
  assert.ok(!lets({ ...rule, path: "/v1/" }, "https://example.com/v1"));
});

test("what is no host is no rule", () => {
  for (
    const text of [
      "",
      "*",
      "*.127.0.0.1",
      "https://example.com",
      "example.com/",
      "user@example.com",
      "example.com:0",
      "example.com:65536",
      "a b",
      "[::1",
    ]
  ) assert.equal(parseRule(text), undefined, text);
});

test("what is not of the public network says why", () => {
  for (
    const address of [
      "127.0.0.1",
      "127.255.255.254",
      "0.0.0.0",
      "10.0.0.1",
      "172.16.0.1",
      "192.168.1.1",
      "169.254.169.254",
      "100.100.100.200",
      "168.63.129.16",
      "192.0.0.192",
      "224.0.0.1",
      "255.255.255.255",
      "::",
      "::1",
      "fe80::1",
      "fd00:ec2::254",
      "::ffff:10.0.0.1",
      "::ffff:169.254.169.254",
      "64:ff9b::a9fe:a9fe",
      "2002:7f00:1::",
      "2001:0:7f00:1::",
      "ff02::1",
      "no address",
    ]
  ) assert.ok(notPublic(address), address);
  for (const address of ["93.184.216.34", "2606:2800:220:1::1"]) {
    assert.equal(notPublic(address), undefined, address);
  }
  assert.equal(canonicalAddress("::ffff:1.2.3.4"), "1.2.3.4");
});
