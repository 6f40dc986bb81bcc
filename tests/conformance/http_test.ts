/** Requests that go through the host: where rights.net says, with secrets that the guest does not see. */
import assert from "node:assert/strict";
import { withServer } from "./servers.ts";
import {
  assertHealthy,
  each,
  type Needs,
  refused,
  withSession,
} from "./targets.ts";

const http: Needs = ({ capabilities, lang, code }) =>
  code.http && (capabilities.http as readonly string[]).includes(lang)
    ? undefined
    : "sends no requests";

each(
  "without a right there is no network",
  (target) =>
    withServer((_, response) => {
      response.end();
    }, (origin) =>
      withSession(target, {}, async (session) => {
        const { stdout, receipt } = await session.run(
          target.code.http!("GET", origin),
        );
        assert.match(stdout, /^refused .*no network/);
        assert.deepEqual(receipt.egress, []);
        assert.equal(receipt.rights, undefined);
      })),
  http,
);

each(
  "a host that is named, and one that is not",
  (target) =>
    withServer((request, response) => {
      response.setHeader("x-answer", "yes");
      response.statusCode = 203;
      let body = "";
      request.on("data", (bytes) => body += bytes);
      request.on(
        "end",
        () => response.end(`${request.method} ${request.url} ${body} ü`),
      );
    }, (origin, port) => {
      const net = [`127.0.0.1:${port}`];
      return withSession(target, { rights: { net } }, async (session) => {
        const sent = await session.run(
          target.code.http!("POST", `${origin}/a?b=c`, { body: "hello" }),
        );
        assert.equal(sent.stdout, "203 POST /a?b=c hello ü yes\n", sent.stderr);
        const [entry] = sent.receipt.egress;
        assert.equal(entry?.url, `${origin}/a`);
        assert.equal(entry?.status, 203);
        assert.equal(entry?.address, "127.0.0.1");
        assert.equal(entry?.sentBytes, 5);
        assert.deepEqual(sent.receipt.rights, { net });
        assert.deepEqual(sent.receipt.toolCalls, []);
        const other = await session.run(
          target.code.http!("GET", "http://127.0.0.2:9/"),
        );
        assert.match(other.stdout, /^refused .*rights\.net does not name/);
        assert.match(other.receipt.egress[0]?.refused ?? "", /does not name/);
        await assertHealthy(target, session);
      });
    }),
  http,
);

each("a secret is in what is sent, and nowhere in the guest", (target) => {
  const value = "s3cret-of-the-host";
  const seen: unknown[] = [];
  return withServer((request, response) => {
    seen.push(request.headers.authorization);
    response.setHeader("x-answer", String(request.headers.authorization));
    response.end(`you sent ${request.headers.authorization}`);
  }, (origin, port) => {
    const hosts = [`127.0.0.1:${port}`];
    const options = {
      rights: { net: hosts },
      secrets: { KEY: { hosts, value } },
    };
    return withSession(target, options, async (session) => {
      const result = await session.run(
        target.code.http!("GET", origin, {
          headers: { authorization: "Bearer $KEY" },
        }),
      );
      assert.deepEqual(seen, [`Bearer ${value}`]);
      assert.match(result.stdout, /^200 you sent Bearer secret_KEY_/);
      assert.ok(!JSON.stringify(result).includes(value));
      const env = await session.run(target.code.env("KEY"));
      assert.match(env.stdout, /^secret_KEY_[0-9a-f]{32}\n$/);
    });
  });
}, http);

each(
  "a server that does not answer in time",
  (target) =>
    withServer(() => {}, (origin, port) => {
      const rights = { net: [`127.0.0.1:${port}`] };
      const limits = { toolTimeMs: 200 };
      return withSession(target, { rights, limits }, async (session) => {
        const { stdout } = await session.run(target.code.http!("GET", origin));
        assert.match(stdout, /^refused .*200 ms/);
        await assertHealthy(target, session);
      });
    }),
  http,
);

each(
  "only the tools of rights.tools can be called, and only variables of rights.env are there",
  async (target) => {
    const session = await target.open({ rights: { tools: [], env: ["PATH"] } });
    try {
      const { PATH } = (await import("node:process")).default.env;
      const { stdout } = await session.run(target.code.env("PATH"));
      assert.equal(stdout, `${PATH}\n`);
    } finally {
      await session.close();
    }
    await refused(
      target.open({ rights: { tools: ["none"] } }),
      "INVALID_OPTION",
    );
    await refused(target.open({ rights: { net: ["a b"] } }), "INVALID_OPTION");
    const value = "abcd";
    const secret = { hosts: ["example.com"], value };
    await refused(target.open({ secrets: { KEY: secret } }), "INVALID_OPTION");
    await refused(
      target.open({
        env: { KEY: "x" },
        rights: { net: ["example.com"] },
        secrets: { KEY: secret },
      }),
      "INVALID_OPTION",
    );
  },
  http,
);

each(
  "rights.time and rights.memory are limits",
  (target) =>
    withSession(
      target,
      { rights: { time: 250, memory: 128 } },
      async (session) => {
        const error = await refused(
          session.run(target.code.loopForever),
          "TIMED_OUT",
        );
        assert.match(error.message, /250 ms/);
        assert.equal(error.result?.receipt.limits.memoryMb, 128);
        assert.equal(error.result?.receipt.limitHit, "time");
      },
    ),
);
