/** What a guest tries to reach and must not: none of it gets through, and the server behind never hears of it. */
import assert from "node:assert/strict";
import { Resolver } from "node:dns/promises";
import { test } from "node:test";
import { Egress, type GuestRequest } from "../../src/egress/egress.ts";
import type { EgressEntry } from "../../src/result.ts";
import { withResolver, withServer } from "../conformance/servers.ts";

const plain = (url: string): GuestRequest => ({
  method: "GET",
  url,
  headers: [],
  body: undefined,
  redirect: "follow",
});

const never = new AbortController().signal;

async function refused(
  egress: Egress,
  request: GuestRequest,
  why: RegExp,
): Promise<readonly EgressEntry[]> {
  const log: EgressEntry[] = [];
  await assert.rejects(egress.fetch(request, never, log), why, request.url);
  return log;
}

test("addresses that are not named, in every notation", async () => {
  let heard = 0;
  await withServer((_, response) => {
    heard++;
    response.end();
  }, async (_, port) => {
    // What an allow-list with room for any name must still refuse.
    const egress = new Egress(["*.test", "localhost", "example.com"], {}, 1e6);
    for (
      const host of [
        "127.0.0.1",
        "127.1",
        "0x7f000001",
        "2130706433",
        "0177.0.0.1",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:7f00:0001]",
        "[64:ff9b::7f00:1]",
        "169.254.169.254",
        "0xa9fea9fe",
        "[fd00:ec2::254]",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "127.0.0.1.",
      ]
    ) {
      await refused(egress, plain(`http://${host}:${port}/`), /does not name/);
    }
    await refused(
      egress,
      plain(`http://localhost:${port}/`),
      /127\.0\.0\.1, an address of localhost, is refused|::1, an address/,
    );
  });
  assert.equal(heard, 0);
});

test("names that resolve to addresses of the inside", async () => {
  for (
    const address of [
      "127.0.0.1",
      "10.0.0.1",
      "169.254.169.254",
      "100.100.100.200",
      "::1",
      "::ffff:127.0.0.1",
      "fe80::1",
    ]
  ) {
    const egress = new Egress(
      ["a.test"],
      {},
      1e6,
      () => Promise.resolve([address]),
    );
    const log = await refused(
      egress,
      plain("http://a.test/"),
      /is refused, as/,
    );
    assert.match(log[0]!.refused!, /is refused/);
  }
});

test("a name that moves to the inside after it was checked", async () => {
  let heard = 0;
  await withServer(
    (_, response) => {
      heard++;
      response.end("inside");
    },
    (_, port) =>
      withResolver(["127.0.0.1", "192.0.2.1"], async (server, asked) => {
        const resolver = new Resolver();
        resolver.setServers([server]);
        // The first answer is public and pinned: the second, of the inside, is never asked for.
        const answers = ["192.0.2.1", "127.0.0.1"];
        const moving = new Egress(
          ["rebind.test"],
          {},
          1e6,
          async (host) => {
            await resolver.resolve4(host);
            return [answers.shift() ?? "127.0.0.1"];
          },
        );
        const soon = AbortSignal.timeout(200);
        const url = `http://rebind.test:${port}/`;
        for (let n = 0; n < 2; n++) {
          await assert.rejects(moving.fetch(plain(url), soon, []));
        }
        assert.equal(asked(), 1);
        // And one whose answers are of the inside every other time.
        const inside = new Egress(
          ["rebind.test"],
          {},
          1e6,
          (host) => resolver.resolve4(host),
        );
        await assert.rejects(inside.fetch(plain(url), never, []));
      }),
  );
  assert.equal(heard, 0);
});

test("a redirect is a request of its own", async () => {
  let inside = 0;
  await withServer((_, response) => {
    inside++;
    response.end("inside");
  }, (target) =>
    withServer((request, response) => {
      const to = decodeURIComponent(request.url!.slice(2));
      response.writeHead(302, { location: to });
      response.end();
    }, async (origin) => {
      const egress = new Egress([origin.slice("http://".length)], {}, 1e6);
      for (
        const to of [
          `${target}/`,
          "http://169.254.169.254/latest/meta-data/",
          "//127.0.0.1:1/",
          "file:///etc/passwd",
          "gopher://127.0.0.1:70/",
          "ftp://127.0.0.1/",
          "data:text/plain,hello",
          "http://user:word@127.0.0.1/",
        ]
      ) {
        const url = `${origin}/?${encodeURIComponent(to)}`;
        const log = await refused(
          egress,
          plain(url),
          /does not name|neither http|no credentials/,
        );
        assert.equal(log[0]!.status, 302, to);
      }
      const loop = `${origin}/?${encodeURIComponent("/?%2F%3F")}`;
      await refused(
        egress,
        plain(loop),
        /more than 10|neither|no URL|does not name/,
      );
    }));
  assert.equal(inside, 0);
});

test("a rule's path holds after a redirect, and its method", async () => {
  const seen: string[] = [];
  await withServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    if (request.url === "/open/away") {
      response.writeHead(307, { location: "/closed" });
    }
    response.end();
  }, async (origin) => {
    const host = origin.slice("http://".length);
    const egress = new Egress(
      [{ host, path: "/open", methods: ["POST"] }],
      {},
      1e6,
    );
    const post = { ...plain(`${origin}/open/away`), method: "POST" };
    await refused(egress, post, /does not name POST .*\/closed/);
    await refused(egress, plain(`${origin}/open`), /does not name GET/);
  });
  assert.deepEqual(seen, ["POST /open/away"]);
});

test("URLs and headers that hold more than they seem", async () => {
  let heard = 0;
  await withServer((_, response) => {
    heard++;
    response.end();
  }, async (origin) => {
    const host = origin.slice("http://".length);
    const egress = new Egress([host], {}, 1e6);
    for (
      const url of [
        `http://user:word@${host}/`,
        `http://${host}@169.254.169.254/`,
        `http://169.254.169.254#@${host}/`,
        `http://169.254.169.254\\@${host}/`,
        `http://${host}/\r\nHost: inside`,
        `http://${host}/\tx`,
        `https:${host}`,
        "//127.0.0.1/",
        "",
        "http://",
        "file:///etc/passwd",
        "unix:/var/run/docker.sock",
      ]
    ) await refused(egress, plain(url), /./);
    for (
      const header of [
        ["x-a", "1\r\nx-b: 2"],
        ["x-a\r\nx-b", "1"],
        ["x a", "1"],
        ["", "1"],
        ["x-a", "1\0"],
        ["host", "inside"],
        ["Host", "inside"],
        ["content-length", "0"],
        ["transfer-encoding", "chunked"],
        ["connection", "upgrade"],
        ["proxy-authorization", "Basic x"],
      ] as const
    ) {
      const request = { ...plain(origin), headers: [header] };
      await refused(egress, request, /header/);
    }
  });
  assert.equal(heard, 0);
});

test("what a server sends is bounded, also when it is packed small", async () => {
  const { gzipSync } = await import("node:zlib");
  const bomb = gzipSync(new Uint8Array(20_000_000));
  await withServer((request, response) => {
    if (request.url === "/bomb") response.setHeader("content-encoding", "gzip");
    if (request.url === "/odd") response.setHeader("content-encoding", "odd");
    response.end(request.url === "/bomb" ? bomb : new Uint8Array(2_000_000));
  }, async (origin) => {
    const egress = new Egress([origin.slice("http://".length)], {}, 1_000_000);
    for (const path of ["/bomb", "/big"]) {
      await refused(egress, plain(origin + path), /more than 1000000 bytes/);
    }
    await refused(egress, plain(`${origin}/odd`), /coded as odd/);
  });
});

test("a server that never ends is left when the run ends", async () => {
  await withServer((_, response) => {
    response.write("x");
  }, async (origin) => {
    const egress = new Egress([origin.slice("http://".length)], {}, 1e6);
    const soon = AbortSignal.timeout(100);
    await assert.rejects(egress.fetch(plain(origin), soon, []), /abort/i);
  });
});
