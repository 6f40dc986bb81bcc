/** Secrets reach the hosts that they are for, and the guest never sees one. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { Egress } from "../../src/egress/egress.ts";
import { withServer } from "../conformance/servers.ts";

const value = "s3cret-of-the-host";
const never = new AbortController().signal;

test("a stand-in becomes the secret in headers, also in Basic ones, and what comes back has the stand-in", async () => {
  const seen: string[] = [];
  await withServer((request, response) => {
    const { authorization = "" } = request.headers;
    seen.push(authorization);
    response.setHeader("x-echo", authorization);
    response.end(`you sent ${authorization} and ${request.url}`);
  }, async (origin) => {
    const host = origin.slice("http://".length);
    const egress = new Egress([host], { KEY: { hosts: [host], value } }, 1e6);
    const stand = egress.secrets.environment.KEY!;
    assert.ok(!stand.includes(value));
    const send = (authorization: string) =>
      egress.fetch(
        {
          method: "GET",
          url: `${origin}/?key=${stand}`,
          headers: [["authorization", authorization]],
          body: undefined,
          redirect: "follow",
        },
        never,
        [],
      );
    const { headers, body } = await send(`Bearer ${stand}`);
    const text = new TextDecoder().decode(body);
    assert.equal(seen[0], `Bearer ${value}`);
    assert.ok(!text.includes(value) && text.includes(`Bearer ${stand}`), text);
    assert.ok(
      headers.some(([name, text]) =>
        name === "x-echo" && text === `Bearer ${stand}`
      ),
    );
    // What is not a header stays what it is: a body or a query could be read again elsewhere.
    assert.ok(text.endsWith(`/?key=${stand}`));
    const coded = Buffer.from(`user:${stand}`).toString("base64");
    await send(`Basic ${coded}`);
    assert.equal(
      seen[1],
      `Basic ${Buffer.from(`user:${value}`).toString("base64")}`,
    );
  });
});

test("a secret goes nowhere else, neither at once nor by a redirect, nor in the clear", async () => {
  const seen: (string | undefined)[] = [];
  await withServer((request, response) => {
    seen.push(request.headers["x-key"] as string | undefined);
    response.end();
  }, (other) =>
    withServer((request, response) => {
      seen.push(request.headers["x-key"] as string | undefined);
      response.writeHead(302, { location: `${other}/` });
      response.end();
    }, async (origin) => {
      const host = origin.slice("http://".length);
      const rules = [host, other.slice("http://".length), "clear.test"];
      const secrets = {
        KEY: { hosts: [host, "clear.test"], value },
        OTHER: { hosts: [host], value: "another-one" },
      };
      const egress = new Egress(rules, secrets, 1e6);
      const { KEY: stand, OTHER } = egress.secrets.environment;
      const send = (url: string) =>
        egress.fetch(
          {
            method: "GET",
            url,
            headers: [["x-key", `${stand} ${OTHER}`]],
            body: undefined,
            redirect: "follow",
          },
          never,
          [],
        );
      await assert.rejects(send(`${other}/`), /secret KEY is not for/);
      await assert.rejects(send(`${origin}/`), /secret KEY is not for/);
      await assert.rejects(send("http://clear.test/"), /unencrypted/);
      assert.deepEqual(seen, [`${value} another-one`]);
    }));
});
