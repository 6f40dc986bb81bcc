/** Connections of a guest without a network, over pipes of a child process. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { Connection } from "../../src/backends/backend.ts";
import { containerBackend } from "../../src/backends/container/backend.ts";
import { languages } from "../../src/languages/languages.ts";
import { parseSessionOptions } from "../../src/options.ts";
import { openWall } from "../../src/session.ts";
import { PlainEngine } from "./plain_box.ts";

/** A wall of Python for as long as `body` takes. */
async function withPython(
  options: Record<string, unknown>,
  body: (opened: Awaited<ReturnType<typeof openWall>>) => Promise<void>,
): Promise<void> {
  const engine = new PlainEngine(false);
  const known = { all: ["python"], driven: ["python"], install: [] } as const;
  const backend = containerBackend(engine, known, engine.places);
  const given = { backend: "docker", workdir: engine.places.sandbox };
  const opened = await openWall(
    backend,
    "made for tests",
    parseSessionOptions({ ...given, ...options }),
    languages.python,
  );
  try {
    await body(opened);
  } finally {
    await opened.wall.close();
    engine.end();
  }
}

/** A port that nobody listens at, for now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

async function echo(connection: Connection): Promise<void> {
  try {
    for await (const bytes of connection.input) await connection.write(bytes);
    connection.end();
  } catch {
    connection.close();
  }
}

test("bytes go both ways and end both ways, many connections at once", {
  timeout: 60_000,
}, () =>
  withPython({ timeoutMs: 30_000 }, async (opened) => {
    const port = await freePort();
    await opened.wall.serve!(port, echo);
    const result = await opened.session().run(`
import os, socket, threading
data = os.urandom(1 << 20)
seen = []
def one():
    with socket.create_connection(("127.0.0.1", ${port})) as connection:
        threading.Thread(target=lambda: (connection.sendall(data), connection.shutdown(socket.SHUT_WR))).start()
        got = b""
        while part := connection.recv(65536):
            got += part
        seen.append(got == data)
threads = [threading.Thread(target=one) for _ in range(5)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(seen)
# One that is left in the middle harms nobody.
socket.create_connection(("127.0.0.1", ${port})).send(b"x")
`);
    assert.equal(
      result.stdout,
      "[True, True, True, True, True]\n",
      result.stderr,
    );
    const again = await opened.session().run(`
import socket
with socket.create_connection(("127.0.0.1", ${port})) as connection:
    connection.sendall(b"again")
    print(connection.recv(100))
`);
    assert.equal(again.stdout, "b'again'\n", again.stderr);
  }));

test("rights.net: what is not named, and the host itself, are refused", {
  timeout: 60_000,
}, async () => {
  const server = createServer((_, response) => response.end("secret"));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const rights = { net: ["localhost", `127.0.0.1:${port}`, "169.254.169.254"] };
  try {
    await withPython({ rights, timeoutMs: 30_000 }, async (opened) => {
      const result = await opened.session().run(`
import os, socket, urllib.parse
proxy = urllib.parse.urlsplit(os.environ["http_proxy"])
for target in ["localhost:${port}", "127.0.0.1:${port}", "169.254.169.254:80", "other.invalid:443", "[::1]:${port}"]:
    with socket.create_connection((proxy.hostname, proxy.port)) as connection:
        connection.sendall(f"CONNECT {target} HTTP/1.1\\r\\n\\r\\n".encode())
        print(connection.recv(4096).split(b"\\r\\n")[0].decode())
with socket.create_connection((proxy.hostname, proxy.port)) as connection:
    connection.sendall(b"GET http://127.0.0.1:${port}/ HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
    print(connection.recv(4096).split(b"\\r\\n")[0].decode())
`);
      const lines = result.stdout.trim().split("\n");
      assert.equal(lines.length, 6, result.stderr);
      for (const line of lines) assert.equal(line, "HTTP/1.1 403 Forbidden");
    });
  } finally {
    server.close();
  }
});
