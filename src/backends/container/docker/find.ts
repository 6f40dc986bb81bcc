import { SandboxError } from "../../../errors.ts";
import { currentContext, fromContext } from "./docker_contexts.ts";
import {
  type Endpoint,
  type EngineName,
  parseAddress,
  tlsFrom,
} from "./endpoint.ts";
import { fromConnection } from "./podman_connections.ts";
import type { Surroundings } from "./surroundings.ts";

/** Where an engine's own client would look for it; throws when it is said wrongly, or nothing is there. */
export function findEndpoint(
  engine: EngineName,
  machine: Surroundings,
): Endpoint {
  return engine === "docker" ? _docker(machine) : _podman(machine);
}

function _docker(machine: Surroundings): Endpoint {
  const { env } = machine;
  const folder = env("DOCKER_CONFIG") ?? `${machine.home}/.docker`;
  const host = env("DOCKER_HOST");
  if (host !== undefined) {
    const verify = env("DOCKER_TLS_VERIFY") !== undefined;
    const secured = verify || env("DOCKER_TLS") !== undefined;
    const tls = secured && !/^(unix|npipe|ssh):/.test(host)
      ? tlsFrom(
        "docker",
        env("DOCKER_CERT_PATH") ?? folder,
        verify,
        verify ? "DOCKER_TLS_VERIFY" : "DOCKER_TLS",
        machine,
      )
      : undefined;
    return parseAddress("docker", host, "DOCKER_HOST", tls);
  }
  const context = currentContext(folder, machine);
  if (context) return fromContext(context.name, context.from, folder, machine);
  if (machine.platform === "win32") {
    const at = { socketPath: "\\\\.\\pipe\\docker_engine" };
    return { at, from: "the default pipe" };
  }
  const runtime = env("XDG_RUNTIME_DIR");
  return _first("docker", machine, [
    "/var/run/docker.sock",
    ...runtime === undefined ? [] : [`${runtime}/docker.sock`],
    `${machine.home}/.docker/run/docker.sock`,
  ], "Install and start Docker, or set DOCKER_HOST");
}

function _podman(machine: Surroundings): Endpoint {
  const { env } = machine;
  const host = env("CONTAINER_HOST");
  if (host !== undefined) {
    return parseAddress("podman", host, "CONTAINER_HOST");
  }
  const named = env("CONTAINER_CONNECTION");
  if (named !== undefined) return fromConnection(named, machine)!;
  const runtime = env("XDG_RUNTIME_DIR");
  const sockets = [
    ...runtime === undefined ? [] : [`${runtime}/podman/podman.sock`],
    "/run/podman/podman.sock",
  ];
  if (machine.platform === "linux" && sockets.some(machine.exists)) {
    return _first("podman", machine, sockets, "");
  }
  return fromConnection(undefined, machine) ??
    _first(
      "podman",
      machine,
      sockets,
      "Start its service with `systemctl --user start podman.socket` or `podman system service -t 0`, or set CONTAINER_HOST",
    );
}

function _first(
  engine: EngineName,
  { exists }: Surroundings,
  paths: readonly string[],
  cure: string,
): Endpoint {
  const socketPath = paths.find(exists);
  if (socketPath !== undefined) {
    return { at: { socketPath }, from: "the default socket" };
  }
  throw new SandboxError(
    "BACKEND_UNAVAILABLE",
    `Cannot reach ${engine}: there is no socket at ${
      paths.join(" or ")
    }. ${cure}.`,
  );
}
