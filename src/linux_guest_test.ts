import assert from "node:assert/strict";
import { test } from "node:test";
import { wantsLinux } from "./linux_guest.ts";
import { parseSessionOptions } from "./options.ts";

const wants = (options: Record<string, unknown>) =>
  wantsLinux(parseSessionOptions({ backend: "hyperlight", ...options }));

test("the linux guest is taken by name and for what only it has", () => {
  assert.equal(wants({}), false);
  assert.equal(wants({ guest: "micro" }), false);
  assert.equal(wants({ guest: "linux" }), true);
  assert.equal(wants({ preload: ["numpy"] }), true);
  assert.equal(wants({ preload: [] }), false);
  assert.equal(wants({ rights: { net: ["example.com"] } }), true);
  assert.equal(wants({ rights: { net: false } }), false);
  const net = ["example.com"];
  assert.equal(wants({ rights: { net }, guest: "micro" }), false);
  assert.equal(wants({ rights: { net }, lang: "javascript" }), false);
  assert.equal(wants({ rights: { net: [{ host: "example.com" }] } }), false);
  assert.equal(wants({ rights: { read: { "/mnt/data": "/srv" } } }), true);
});

test("a micro guest with what only the linux guest has is refused", () => {
  assert.throws(
    () => wants({ guest: "micro", preload: ["numpy"] }),
    { code: "UNSUPPORTED", message: /preload.*guest: "linux"/ },
  );
});

test("what is no module and no place is refused", () => {
  for (const preload of [["a b"], ["1a"], ["a."], ["os; x"], [""]]) {
    assert.throws(() => wants({ preload }), { code: "INVALID_OPTION" });
  }
  for (const place of ["/sandbox", "/mnt", "/mnt/..", "/mnt/a/b", "/mnt/a:b"]) {
    assert.throws(() => wants({ rights: { read: { [place]: "/srv" } } }), {
      code: "INVALID_OPTION",
    });
  }
});
