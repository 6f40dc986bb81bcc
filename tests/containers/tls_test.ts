/** An engine behind TLS, with keys of the test's own. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:tls";
import type { Surroundings } from "../../src/backends/container/docker/surroundings.ts";
import { DockerEngine } from "../../src/backends/container/docker/engine.ts";
import { each, type Tested } from "./engines.ts";
import { boxSpec } from "./specs.ts";

function openssl(dir: string, ...args: string[]): void {
  execFileSync("openssl", args, { cwd: dir, stdio: "pipe" });
}

/** A certificate authority, and a key with its signature for both ends. */
function makeKeys(dir: string): void {
  const key = ["-newkey", "rsa:2048", "-nodes", "-days", "2"];
  const ca = ["-subj", "/CN=test authority", "-keyout", "ca-key.pem"];
  openssl(dir, "req", "-x509", ...key, ...ca, "-out", "ca.pem");
  for (const name of ["server", "client"]) {
    const request = ["-subj", `/CN=${name}`, "-keyout", `${name}-key.pem`];
    openssl(
      dir,
      "req",
      ...key.slice(0, 3),
      ...request,
      "-out",
      "request.pem",
      "-addext",
      "subjectAltName=IP:127.0.0.1",
    );
    const by = ["-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial"];
    const out = ["-copy_extensions", "copy", "-out", `${name}-cert.pem`];
    openssl(
      dir,
      "x509",
      "-req",
      "-days",
      "2",
      "-in",
      "request.pem",
      ...by,
      ...out,
    );
  }
}

/** Serves an engine's socket over TLS, to those with a certificate. */
async function behindTls(
  tested: Tested,
  body: (port: number, dir: string) => Promise<void>,
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "mote-tls-"));
  const { socketPath } = tested.docker.modem;
  const sockets = new Set<{ destroy(): void }>();
  try {
    makeKeys(dir);
    const server = createServer({
      ca: readFileSync(join(dir, "ca.pem")),
      cert: readFileSync(join(dir, "server-cert.pem")),
      key: readFileSync(join(dir, "server-key.pem")),
      requestCert: true,
      rejectUnauthorized: true,
    }, (near) => {
      const far = connect(socketPath);
      sockets.add(near).add(far);
      near.on("error", () => far.destroy());
      far.on("error", () => near.destroy());
      near.on("close", () => far.destroy());
      far.on("close", () => near.destroy());
      near.pipe(far).pipe(near);
    });
    server.on("tlsClientError", () => {});
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    try {
      const { port } = server.address() as { port: number };
      await body(port, dir);
    } finally {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    }
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** A machine whose client is set up for this address, with `files` in its folder of keys. */
function machine(
  port: number,
  files: Record<string, string>,
): () => Surroundings {
  const env: Record<string, string> = {
    DOCKER_HOST: `tcp://127.0.0.1:${port}`,
    DOCKER_TLS_VERIFY: "1",
    DOCKER_CERT_PATH: "/keys",
  };
  return () => ({
    platform: "linux",
    home: "/none",
    env: (name) => env[name],
    read: (path) => files[path],
    exists: (path) => path in files,
  });
}

each(
  "over TLS, both ends certified",
  (tested) =>
    behindTls(tested, async (port, dir) => {
      const pem = (name: string) =>
        readFileSync(join(dir, `${name}.pem`), "utf8");
      const keys = {
        "/keys/ca.pem": pem("ca"),
        "/keys/cert.pem": pem("client-cert"),
        "/keys/key.pem": pem("client-key"),
      };
      // Both speak one API, and only docker's client has settings for TLS.
      const engine = new DockerEngine("docker", machine(port, keys));
      const { available, reason } = await engine.probe();
      assert.equal(available, true, reason);
      if (tested.name === "docker") {
        const box = await engine.start(boxSpec("cat"));
        const output = box.channel.output[Symbol.asyncIterator]();
        await box.channel.write(new TextEncoder().encode("over TLS\n"));
        const { value } = await output.next();
        assert.equal(new TextDecoder().decode(value), "over TLS\n");
        await box.remove();
      }
      const { "/keys/ca.pem": _, ...unknown } = keys;
      const untrusting = new DockerEngine("docker", machine(port, unknown));
      assert.match((await untrusting.probe()).reason, /TLS with .* failed/);
      const { "/keys/ca.pem": ca } = keys;
      const stranger = machine(port, { "/keys/ca.pem": ca });
      assert.equal(
        (await new DockerEngine("docker", stranger).probe()).available,
        false,
      );
    }),
);
