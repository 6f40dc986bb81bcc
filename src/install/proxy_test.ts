import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { test } from "node:test";
import type { Connection } from "../backends/backend.ts";
import { Proxy, type ProxyRules } from "./proxy.ts";

/** A guest that says some things and keeps what it hears. */
async function said(
  proxy: Proxy,
  pieces: readonly (string | Uint8Array)[],
  more: () => Promise<void> = () => Promise.resolve(),
): Promise<string> {
  const heard: Uint8Array[] = [];
  let closed!: () => void;
  const ended = new Promise<void>((go) => closed = go);
  const connection: Connection = {
    input: (async function* () {
      for (const piece of pieces) {
        yield typeof piece === "string"
          ? new TextEncoder().encode(piece)
          : piece;
      }
      await more();
    })(),
    write: (bytes) => {
      heard.push(bytes);
      return Promise.resolve();
    },
    end: () => {},
    close: () => closed(),
  };
  proxy.take(connection);
  await ended;
  return Buffer.concat(heard).toString();
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((go) => server.listen(0, "127.0.0.1", go));
  return (server.address() as AddressInfo).port;
}

async function withEcho(
  body: (port: number, seen: string[]) => Promise<void>,
): Promise<void> {
  const seen: string[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      seen.push(String(bytes));
      socket.end(`echo ${bytes}`);
    });
  });
  try {
    await body(await listening(server), seen);
  } finally {
    await new Promise((go) => server.close(go));
  }
}

const rules = (...named: string[]): ProxyRules => ({ named: new Set(named) });

test("a tunnel to a host that was named", () =>
  withEcho(async (port) => {
    const proxy = new Proxy(rules(`127.0.0.1:${port}`));
    const text = await said(proxy, [
      `CONNECT 127.0.0.1:${port} HT`,
      `TP/1.1\r\nHost: x\r\n\r`,
      `\nfirst`,
    ]);
    assert.equal(text, "HTTP/1.1 200 OK\r\n\r\necho first");
    proxy.close();
  }));

test("a request of plain HTTP is sent on without what was for the proxy", async () => {
  const seen: Record<string, unknown>[] = [];
  const server = createHttpServer((request, response) => {
    seen.push({ url: request.url, ...request.headers });
    response.end("answer");
  });
  await new Promise<void>((go) => server.listen(0, "127.0.0.1", go));
  const { port } = server.address() as AddressInfo;
  const proxy = new Proxy(rules(`127.0.0.1:${port}`));
  const text = await said(proxy, [
    `GET http://127.0.0.1:${port}/a?b=c HTTP/1.1\r\nHost: evil.example\r\nProxy-Authorization: Basic x\r\nConnection: keep-alive\r\nX-Own: 1\r\n\r\n`,
  ]);
  assert.match(text, /^HTTP\/1\.1 200 OK\r\n[^]*answer/);
  assert.equal(seen[0]!.url, "/a?b=c");
  assert.equal(seen[0]!.host, `127.0.0.1:${port}`);
  assert.equal(seen[0]!["x-own"], "1");
  assert.equal(seen[0]!["proxy-authorization"], undefined);
  assert.equal(seen[0]!.connection, "close");
  await new Promise((go) => server.close(go));
});

test("what is not the public network is refused", async () => {
  await withEcho(async (port, seen) => {
    const proxy = new Proxy(rules("registry.example:443"));
    for (
      const to of [
        `127.0.0.1:${port}`,
        "127.0.0.1:443",
        "localhost:80",
        "10.1.2.3:443",
        "172.31.0.1:443",
        "192.168.1.1:80",
        "169.254.169.254:80",
        "100.100.100.200:80",
        "168.63.129.16:80",
        "0.0.0.0:80",
        "[::1]:443",
        "[::]:443",
        "[::ffff:127.0.0.1]:443",
        "[::ffff:7f00:1]:443",
        "[fd00::1]:443",
        "[fe80::1]:443",
        "[64:ff9b::a00:1]:443",
        "2130706433:80",
        "0x7f000001:80",
        "127.1:80",
      ]
    ) {
      const text = await said(proxy, [`CONNECT ${to} HTTP/1.1\r\n\r\n`]);
      assert.match(text, /^HTTP\/1\.1 (403|502|400) /, `${to}: ${text}`);
    }
    assert.deepEqual(seen, []);
  });
});

test("a name that leads to metadata is refused even when it was named", async () => {
  const proxy = new Proxy(rules("169.254.169.254:80"));
  const text = await said(proxy, [
    "GET http://169.254.169.254/latest HTTP/1.1\r\n\r\n",
  ]);
  assert.match(text, /^HTTP\/1\.1 403 /);
});

test("where names lead is not looked at when the network is like that", () =>
  withEcho(async (port) => {
    const proxy = new Proxy({ named: new Set(), anywhere: true });
    const text = await said(proxy, [
      `CONNECT 127.0.0.1:${port} HTTP/1.1\r\n\r\n`,
    ]);
    assert.match(text, /port \d+ is not 80 or 443/);
    const metadata = await said(proxy, [
      "CONNECT 169.254.169.254:80 HTTP/1.1\r\n\r\n",
    ]);
    assert.match(metadata, /^HTTP\/1\.1 403 /);
  }));

test("what is no request is refused", async () => {
  const proxy = new Proxy(rules());
  for (
    const [head, status] of [
      ["\r\n\r\n", 400],
      ["GET / HTTP/1.1\r\n\r\n", 400],
      ["GET https://example.com/ HTTP/1.1\r\n\r\n", 400],
      ["GET ftp://example.com/ HTTP/1.1\r\n\r\n", 400],
      ["CONNECT example.com HTTP/1.1\r\n\r\n", 400],
      ["CONNECT a b:443 HTTP/1.1\r\n\r\n", 400],
      ["CONNECT example.com:443 HTTP/2\r\n\r\n", 400],
      ["CONNECT example.com:22 HTTP/1.1\r\n\r\n", 403],
      ["CONNECT example.com:443", 400],
      ["\x16\x03\x01", 400],
      ["GET http://example.com/ HTTP/1.1\r\n" + "a: b\r\n".repeat(5_000), 431],
    ] as const
  ) {
    const text = await said(proxy, [head]);
    assert.ok(text.startsWith(`HTTP/1.1 ${status} `), `${head}: ${text}`);
  }
});

test("the host's own proxy is asked for everything", async () => {
  await withEcho(async (port) => {
    const seen: string[] = [];
    const upstream = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", (bytes) => {
        seen.push(String(bytes));
        socket.write("HTTP/1.1 200 Fine\r\n\r\nearly ");
        socket.on("data", (more) => socket.end(`got ${more}`));
      });
    });
    const at = await listening(upstream);
    const proxy = new Proxy({
      named: new Set(),
      upstream: new URL(`http://user:p%40ss@127.0.0.1:${at}`),
    });
    const text = await said(proxy, [
      "CONNECT registry.example:443 HTTP/1.1\r\n\r\nhello",
    ]);
    assert.equal(text, "HTTP/1.1 200 OK\r\n\r\nearly got hello");
    assert.match(seen[0]!, /^CONNECT registry\.example:443 HTTP\/1\.1\r\n/);
    assert.match(seen[0]!, /Basic dXNlcjpwQHNz\r\n/);
    const refused = await said(proxy, [
      "CONNECT registry.example:22 HTTP/1.1\r\n\r\n",
    ]);
    assert.match(refused, /^HTTP\/1\.1 403/);
    proxy.close();
    await new Promise((go) => upstream.close(go));
    assert.ok(port);
  });
});

test("closing the proxy ends its connections", () =>
  withEcho(async (port) => {
    const proxy = new Proxy(rules(`127.0.0.1:${port}`));
    const open = said(
      proxy,
      [`CONNECT 127.0.0.1:${port} HTTP/1.1\r\n\r\n`],
      () => new Promise((go) => setTimeout(go, 200)),
    );
    setTimeout(() => proxy.close(), 50);
    assert.match(await open, /^HTTP\/1\.1 200/);
  }));
