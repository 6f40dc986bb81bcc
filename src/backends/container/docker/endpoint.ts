import { SandboxError } from "../../../errors.ts";
import type { Surroundings } from "./surroundings.ts";

/** Engines that speak Docker's API. */
export type EngineName = "docker" | "podman";

/** Keys of a TLS connection, in PEM. */
export interface Tls {
  /** Who may have signed the engine's certificate; the system's list without it. */
  readonly ca?: string | undefined;
  /** Our certificate. */
  readonly cert?: string | undefined;
  /** Its key. */
  readonly key?: string | undefined;
  /** Whether the engine's certificate is checked. */
  readonly verify: boolean;
}

/** Where an engine listens. */
export interface Endpoint {
  /** A socket or pipe of this machine, or a host. */
  readonly at:
    | { readonly socketPath: string }
    | {
      readonly host: string;
      readonly port: number;
      readonly tls?: Tls | undefined;
    };
  /** Who said so, for messages. */
  readonly from: string;
}

/** An address as people write it. */
export function addressOf({ at }: Endpoint): string {
  if ("socketPath" in at) return at.socketPath;
  return `${at.tls ? "https" : "http"}://${at.host}:${at.port}`;
}

const _tunnel: Record<EngineName, string> = {
  docker:
    "Forward its socket with `ssh -NL /tmp/docker.sock:/var/run/docker.sock HOST` and set DOCKER_HOST=unix:///tmp/docker.sock",
  podman:
    "Forward its socket with `ssh -NL /tmp/podman.sock:/run/podman/podman.sock HOST` and set CONTAINER_HOST=unix:///tmp/podman.sock",
};

/** Reads an address such as `unix:///run/docker.sock` or `tcp://192.0.2.1:2376`. */
export function parseAddress(
  engine: EngineName,
  text: string,
  from: string,
  tls?: Tls,
): Endpoint {
  const bad = (state: string, cure: string) =>
    new SandboxError(
      "BACKEND_UNAVAILABLE",
      `Cannot reach ${engine}: ${from} ${state}. ${cure}.`,
    );
  const [, scheme = "tcp", rest = ""] = /^(?:([a-z+]+):\/\/)?(.*)$/s.exec(
    text,
  )!;
  const cure =
    `Give an address such as unix:///run/${engine}.sock or tcp://127.0.0.1:2375`;
  switch (scheme) {
    case "unix":
    case "http+unix":
      if (!rest.startsWith("/")) throw bad(`is ${_said(text)}`, cure);
      return { at: { socketPath: rest }, from };
    case "npipe":
      return { at: { socketPath: rest.replaceAll("/", "\\") }, from };
    case "ssh":
      throw new SandboxError(
        "UNSUPPORTED",
        `Cannot reach ${engine}: ${from} names a host over ssh, ${
          _said(text)
        }, which this version does not speak. ${_tunnel[engine]}.`,
      );
    case "tcp":
    case "http":
    case "https": {
      if (!URL.canParse(`tcp://${rest}`)) throw bad(`is ${_said(text)}`, cure);
      const url = new URL(`tcp://${rest}`);
      const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
      if (host === "") throw bad(`names no host: ${_said(text)}`, cure);
      if (url.pathname.length > 1) {
        throw bad(`has a path in it: ${_said(text)}`, cure);
      }
      const secured = scheme === "https" ? tls ?? { verify: true } : tls;
      const port = Number(url.port) || (secured ? 2376 : 2375);
      return { at: { host, port, tls: secured }, from };
    }
    default:
      throw bad(`has the unknown scheme ${scheme}`, cure);
  }
}

/** Reads the PEM files that Docker's clients keep in a folder. */
export function tlsFrom(
  engine: EngineName,
  dir: string,
  verify: boolean,
  from: string,
  { read, exists }: Surroundings,
): Tls {
  const file = (name: string): string | undefined => {
    const path = `${dir}/${name}.pem`;
    const text = read(path);
    if (text === undefined && exists(path)) {
      throw new SandboxError(
        "BACKEND_UNAVAILABLE",
        `Cannot reach ${engine}: ${from} needs ${path}, which cannot be read. Check its permissions.`,
      );
    }
    return text;
  };
  const [ca, cert, key] = [file("ca"), file("cert"), file("key")];
  if ((cert === undefined) !== (key === undefined)) {
    const lacking = cert === undefined ? "cert.pem" : "key.pem";
    throw new SandboxError(
      "BACKEND_UNAVAILABLE",
      `Cannot reach ${engine}: ${from} needs ${dir}/${lacking}, which is not there. Put it there, or set DOCKER_CERT_PATH.`,
    );
  }
  return { ca, cert, key, verify };
}

/** What was given, short and without what could be a password. */
function _said(text: string): string {
  return JSON.stringify(text.replace(/\/\/[^@/]*@/, "//…@").slice(0, 100));
}
