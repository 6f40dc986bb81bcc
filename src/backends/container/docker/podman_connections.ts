import { SandboxError } from "../../../errors.ts";
import { type Endpoint, parseAddress } from "./endpoint.ts";
import type { Surroundings } from "./surroundings.ts";

/** Where the service of a connection listens; without a name the default one, undefined when there is none. */
export function fromConnection(
  name: string | undefined,
  machine: Surroundings,
): Endpoint | undefined {
  const { connections, chosen } = _connections(machine);
  const wanted = name ?? chosen;
  const uri = wanted === undefined ? undefined : connections.get(wanted);
  if (uri !== undefined) {
    const from = `the podman connection ${JSON.stringify(wanted)}`;
    return parseAddress("podman", uri, from);
  }
  if (name === undefined) return undefined;
  throw new SandboxError(
    "BACKEND_UNAVAILABLE",
    `Cannot reach podman: CONTAINER_CONNECTION names ${
      JSON.stringify(name)
    }, and podman knows no such connection. See \`podman system connection list\`.`,
  );
}

function _connections(
  { read, env, home }: Surroundings,
): { connections: Map<string, string>; chosen: string | undefined } {
  const config = env("XDG_CONFIG_HOME") ?? `${home}/.config`;
  const found = new Map<string, string>();
  let chosen: string | undefined;
  const confs = env("CONTAINERS_CONF") === undefined
    ? [
      "/usr/share/containers/containers.conf",
      "/etc/containers/containers.conf",
      `${config}/containers/containers.conf`,
    ]
    : [env("CONTAINERS_CONF")!];
  for (const path of confs) {
    const { service, destinations } = _conf(read(path) ?? "");
    chosen = service ?? chosen;
    for (const [name, uri] of destinations) found.set(name, uri);
  }
  try {
    const path = env("PODMAN_CONNECTIONS_CONF") ??
      `${config}/containers/podman-connections.json`;
    const { Connection } = JSON.parse(read(path) ?? "{}");
    const own = Object.entries(Connection?.Connections ?? {});
    for (const [name, one] of own) {
      const uri = (one as { URI?: unknown } | null)?.URI;
      if (typeof uri === "string") found.set(name, uri);
    }
    if (typeof Connection?.Default === "string") chosen = Connection.Default;
  } catch {
    // What podman could not read either names no connection.
  }
  return { connections: found, chosen };
}

/** The few lines of containers.conf that name services. */
function _conf(
  text: string,
): { service?: string | undefined; destinations: Map<string, string> } {
  const destinations = new Map<string, string>();
  let table = "";
  let service: string | undefined;
  for (const line of text.split("\n")) {
    table = /^\s*\[\s*([^\]]+?)\s*\]/.exec(line)?.[1] ?? table;
    const [, key, value] =
      /^\s*(active_service|uri)\s*=\s*["']([^"']*)["']/.exec(line) ?? [];
    if (key === "active_service" && table === "engine") service = value;
    const name = /^engine\.service_destinations\.["']?([^"']+)["']?$/.exec(
      table,
    )?.[1];
    if (key === "uri" && name !== undefined) destinations.set(name, value!);
  }
  return { service, destinations };
}
