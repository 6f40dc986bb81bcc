/** What the linux guest may reach, and what it may not; needs a hypervisor. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { createSession } from "@mote/sandbox";
import type { Session, SessionOptions } from "@mote/sandbox";

async function withSession(
  options: SessionOptions<"hyperlight">,
  body: (session: Session) => Promise<void>,
): Promise<void> {
  const session = await createSession({
    backend: "hyperlight",
    guest: "linux",
    acceptEmulatedHypervisor: true,
    timeoutMs: 60_000,
    ...options,
  });
  try {
    await body(session);
  } finally {
    await session.close();
  }
}

const connects = (host: string, port: number): string =>
  [
    "import socket",
    "try:",
    `    socket.create_connection((${
      JSON.stringify(host)
    }, ${port}), 5).close()`,
    '    print("connected")',
    "except OSError as error:",
    '    print("refused", type(error).__name__)',
  ].join("\n");

/** A server of this machine, for as long as `body` takes. */
async function withServer(
  host: string,
  body: (port: number) => Promise<void>,
): Promise<void> {
  const server = createServer((_, response) => response.end("from the host"));
  await new Promise<void>((done) => server.listen(0, host, done));
  try {
    await body((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
}

test("without rights there is no network", () =>
  withSession({}, (session) =>
    withServer("127.0.0.1", async (port) => {
      const { stdout } = await session.run(connects("127.0.0.1", port));
      assert.match(stdout, /^refused/);
    })));

test("the host's own and metadata addresses are refused even when they are listed", () =>
  withSession(
    { rights: { net: ["127.0.0.1", "169.254.169.254", "localhost"] } },
    (session) =>
      withServer("127.0.0.1", async (port) => {
        for (const host of ["127.0.0.1", "localhost", "169.254.169.254"]) {
          const { stdout } = await session.run(connects(host, port));
          assert.match(stdout, /^refused/, host);
        }
      }),
  ));

// Loopback is no address for this: MOTE_TEST_ADDRESS is another one of this machine.
const address = process.env.MOTE_TEST_ADDRESS;

test("a listed address and port is reached, another one is not", {
  skip: address ? false : "MOTE_TEST_ADDRESS is not set",
}, () =>
  withServer(address!, (port) =>
    withSession(
      { rights: { net: [`${address}:${port}`] } },
      async (session) => {
        const code = [
          "import urllib.request",
          `print(urllib.request.urlopen("http://${address}:${port}/").read().decode())`,
        ].join("\n");
        const { stdout, stderr } = await session.run(code);
        assert.equal(stdout, "from the host\n", stderr);
        await withServer(address!, async (other) => {
          const refused = await session.run(connects(address!, other));
          assert.match(refused.stdout, /^refused/);
        });
      },
    )));

test("a folder of the host is read, and not written", async () => {
  const folder = await mkdtemp(join(tmpdir(), "mote-read-"));
  try {
    await writeFile(join(folder, "table.csv"), "a,b\n1,2\n");
    await withSession(
      { rights: { read: { "/mnt/data": folder } } },
      async (session) => {
        const code = [
          'print(open("/mnt/data/table.csv").read(), end="")',
          "try:",
          '    open("/mnt/data/new", "w")',
          "except OSError as error:",
          '    print("refused", error.errno)',
        ].join("\n");
        const { stdout, stderr } = await session.run(code);
        assert.equal(stdout, "a,b\n1,2\nrefused 30\n", stderr);
      },
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("rights that cannot be are refused by name", async () => {
  const wrong = (options: SessionOptions<"hyperlight">, message: RegExp) =>
    assert.rejects(
      withSession(options, () => Promise.resolve()),
      (error: Error & { code: string }) =>
        error.code === "INVALID_OPTION" && message.test(error.message),
    );
  await wrong({ rights: { net: ["http://a"] } }, /rights\.net/);
  await wrong({ rights: { read: { "/sandbox/x": "/tmp" } } }, /rights\.read/);
  await wrong(
    { rights: { read: { "/mnt/data": "/no-such" } } },
    /rights\.read/,
  );
  await wrong({ preload: ["no_such_module"] }, /Cannot preload/);
});
