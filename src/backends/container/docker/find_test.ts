import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { SandboxError } from "../../../errors.ts";
import type { Endpoint, EngineName } from "./endpoint.ts";
import { findEndpoint } from "./find.ts";

/** A machine with these variables and files; sockets are files without text. */
function find(
  engine: EngineName,
  env: Record<string, string>,
  files: Record<string, string> = {},
  platform = "linux",
): Endpoint {
  return findEndpoint(engine, {
    platform,
    home: "/home/me",
    env: (name) => env[name] || undefined,
    read: (path) => files[path],
    exists: (path) => path in files,
  });
}

function refusal(found: () => unknown): SandboxError {
  let error: unknown;
  try {
    found();
  } catch (one) {
    error = one;
  }
  assert.ok(error instanceof SandboxError, String(error));
  assert.match(error.message, /^Cannot [^:]+: .+\. .+\.$/s);
  return error;
}

const at = (endpoint: Endpoint) => endpoint.at;

test("docker: the variable goes before everything", () => {
  const sockets = { "/var/run/docker.sock": "" };
  const env = { DOCKER_HOST: "unix:///x.sock", DOCKER_CONTEXT: "other" };
  assert.deepEqual(at(find("docker", env, sockets)), { socketPath: "/x.sock" });
  assert.deepEqual(at(find("docker", { DOCKER_HOST: "tcp://[::1]:99" })), {
    host: "::1",
    port: 99,
    tls: undefined,
  });
  assert.deepEqual(at(find("docker", { DOCKER_HOST: "192.0.2.1:2375" })), {
    host: "192.0.2.1",
    port: 2375,
    tls: undefined,
  });
});

test("docker: TLS takes its keys from where the client has them", () => {
  const keys = {
    "/c/ca.pem": "CA",
    "/c/cert.pem": "CERT",
    "/c/key.pem": "KEY",
  };
  const env = {
    DOCKER_HOST: "tcp://192.0.2.1",
    DOCKER_TLS_VERIFY: "1",
    DOCKER_CERT_PATH: "/c",
  };
  assert.deepEqual(at(find("docker", env, keys)), {
    host: "192.0.2.1",
    port: 2376,
    tls: { ca: "CA", cert: "CERT", key: "KEY", verify: true },
  });
  assert.match(
    refusal(() => find("docker", env, { "/c/cert.pem": "CERT" })).message,
    /key\.pem/,
  );
});

test("docker: a context, by variable or by the client's own choice", () => {
  const id = createHash("sha256").update("far").digest("hex");
  const meta = (docker: object) => ({
    [`/home/me/.docker/contexts/meta/${id}/meta.json`]: JSON.stringify({
      Name: "far",
      Endpoints: { docker },
    }),
  });
  const chosen = {
    "/home/me/.docker/config.json": '{"currentContext":"far"}',
    "/var/run/docker.sock": "",
  };
  const files = { ...chosen, ...meta({ Host: "unix:///far.sock" }) };
  assert.deepEqual(at(find("docker", {}, files)), { socketPath: "/far.sock" });
  const secured = {
    ...meta({ Host: "tcp://192.0.2.7:2376" }),
    [`/home/me/.docker/contexts/tls/${id}/docker/ca.pem`]: "CA",
  };
  const { tls } = at(find("docker", { DOCKER_CONTEXT: "far" }, secured)) as {
    tls?: { ca?: string; verify: boolean };
  };
  assert.equal(tls?.ca, "CA");
  assert.equal(tls?.verify, true);
  const back = { DOCKER_CONTEXT: "default" };
  assert.deepEqual(at(find("docker", back, files)), {
    socketPath: "/var/run/docker.sock",
  });
  assert.match(refusal(() => find("docker", {}, chosen)).message, /"far"/);
});

test("docker: the default sockets, the rootless one too", () => {
  const env = { XDG_RUNTIME_DIR: "/run/user/7" };
  const rootless = { "/run/user/7/docker.sock": "" };
  assert.deepEqual(at(find("docker", env, rootless)), {
    socketPath: "/run/user/7/docker.sock",
  });
  const both = { ...rootless, "/var/run/docker.sock": "" };
  assert.deepEqual(at(find("docker", env, both)), {
    socketPath: "/var/run/docker.sock",
  });
  assert.deepEqual(at(find("docker", {}, {}, "win32")), {
    socketPath: "\\\\.\\pipe\\docker_engine",
  });
  const none = refusal(() => find("docker", env));
  assert.equal(none.code, "BACKEND_UNAVAILABLE");
  assert.match(none.message, /\/run\/user\/7\/docker\.sock.*DOCKER_HOST/);
});

test("podman: the variable, the user's socket, the machine's, a connection", () => {
  const env = { XDG_RUNTIME_DIR: "/run/user/7" };
  assert.deepEqual(at(find("podman", { CONTAINER_HOST: "unix:///p.sock" })), {
    socketPath: "/p.sock",
  });
  const own = "/run/user/7/podman/podman.sock";
  const both = { [own]: "", "/run/podman/podman.sock": "" };
  assert.deepEqual(at(find("podman", env, both)), { socketPath: own });
  assert.deepEqual(at(find("podman", {}, both)), {
    socketPath: "/run/podman/podman.sock",
  });
  const conf = "/etc/containers/containers.conf";
  const text = [
    "[engine]",
    'active_service = "a"',
    "[engine.service_destinations.a]",
    'uri = "tcp://127.0.0.1:8080"',
    "[engine.service_destinations.b]",
    'uri = "ssh://core@127.0.0.1:1/run/podman.sock"',
  ].join("\n");
  assert.deepEqual(at(find("podman", {}, { [conf]: text })), {
    host: "127.0.0.1",
    port: 8080,
    tls: undefined,
  });
  const b = { CONTAINER_CONNECTION: "b" };
  const ssh = refusal(() => find("podman", b, { [conf]: text }));
  assert.equal(ssh.code, "UNSUPPORTED");
  const json = "/home/me/.config/containers/podman-connections.json";
  const file = JSON.stringify({
    Connection: { Default: "c", Connections: { c: { URI: "unix:///c.sock" } } },
  });
  assert.deepEqual(at(find("podman", {}, { [json]: file }, "darwin")), {
    socketPath: "/c.sock",
  });
  assert.match(
    refusal(() => find("podman", { CONTAINER_CONNECTION: "z" })).message,
    /"z".*connection list/,
  );
  assert.match(refusal(() => find("podman", {})).message, /podman\.socket/);
});

test("addresses that are none are refused, without what could be a password", () => {
  for (const DOCKER_HOST of ["unix://x", "tcp://", "ftp://x", "tcp://a b"]) {
    assert.equal(
      refusal(() => find("docker", { DOCKER_HOST })).code,
      "BACKEND_UNAVAILABLE",
    );
  }
  const DOCKER_HOST = "ssh://me:secret@host";
  const { code, message } = refusal(() => find("docker", { DOCKER_HOST }));
  assert.equal(code, "UNSUPPORTED");
  assert.doesNotMatch(message, /secret/);
  assert.match(message, /Forward/);
});
