import { isIP } from "node:net";
import type { Wall } from "./backends/backend.ts";
import { SandboxError } from "./errors.ts";
import type { NetRule } from "./rights.ts";
import { unsupported } from "./support.ts";

const _port = 3128;
const _proxy = `http://127.0.0.1:${_port}`;

/** Environment of a guest that reaches the network through the host alone. */
export const proxied: Readonly<Record<string, string>> = Object.freeze({
  http_proxy: _proxy,
  https_proxy: _proxy,
  HTTP_PROXY: _proxy,
  HTTPS_PROXY: _proxy,
  // From Node 24 on.
  NODE_USE_ENV_PROXY: "1",
});

interface Rule {
  readonly host: string;
  readonly below: boolean;
  readonly port: number | undefined;
}

const _form =
  /^(?:\[([0-9A-Fa-f:.]{2,45})\]|(\*\.)?([A-Za-z0-9_](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?))(?::(\d{1,5}))?$/;

function _rule(text: string | NetRule): Rule {
  if (typeof text !== "string") {
    const state =
      "a container is held to hosts and ports, not to what is asked of them";
    throw unsupported(state, ["wasm", "hyperlight"]);
  }
  const match = isIP(text) === 6 ? [, text] : _form.exec(text);
  const host = (match?.[1] ?? match?.[3])?.toLowerCase();
  const port = match?.[4] === undefined ? undefined : Number(match[4]);
  if (!host || (port !== undefined && (port < 1 || port > 65_535))) {
    throw new SandboxError(
      "INVALID_OPTION",
      `Cannot use rights.net: ${
        JSON.stringify(text)
      } is no host. Give names such as "example.com", "*.example.com", "example.com:443" or "192.0.2.1:80".`,
    );
  }
  return { host, below: match?.[2] !== undefined, port };
}

/**
 * Which hosts `rights.net` lets a guest reach: a name only in the public network, wherever it points; an address that
 * is itself in the list wherever it is.
 */
export function hostRules(
  hosts: readonly (string | NetRule)[],
): (host: string, port: number) => "name" | "address" | undefined {
  const rules = hosts.map(_rule);
  return (given, port) => {
    const host = given.toLowerCase().replace(/\.$/, "");
    const found = rules.some((rule) =>
      (rule.port === undefined || rule.port === port) &&
      (rule.below ? host.endsWith(`.${rule.host}`) : host === rule.host)
    );
    if (!found) return undefined;
    return isIP(host) ? "address" : "name";
  };
}

/** Lets the guest behind a wall reach these hosts through a proxy of the host's; its environment has to be {@linkcode proxied}. */
export async function reach(
  wall: Wall,
  rules: ReturnType<typeof hostRules>,
): Promise<Wall> {
  const { Proxy } = await import("./install/proxy.ts");
  const proxy = new Proxy({ named: new Set(), only: rules });
  try {
    await wall.serve!(_port, proxy.take);
  } catch (error) {
    proxy.close();
    await wall.close();
    throw error;
  }
  const close = wall.close.bind(wall);
  wall.close = () => {
    proxy.close();
    return close();
  };
  return wall;
}
