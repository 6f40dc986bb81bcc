import { createHash } from "node:crypto";
import { SandboxError } from "../../../errors.ts";
import { type Endpoint, parseAddress, tlsFrom } from "./endpoint.ts";
import type { Surroundings } from "./surroundings.ts";

/** The context that is switched on, unless it is the default one. */
export function currentContext(
  folder: string,
  { env, read }: Surroundings,
): { name: string; from: string } | undefined {
  const asked = env("DOCKER_CONTEXT");
  if (asked !== undefined) {
    return asked === "default"
      ? undefined
      : { name: asked, from: "DOCKER_CONTEXT" };
  }
  const path = `${folder}/config.json`;
  const name = (_json(read(path)) as { currentContext?: unknown } | undefined)
    ?.currentContext;
  if (typeof name !== "string" || name === "" || name === "default") {
    return undefined;
  }
  return { name, from: path };
}

/** Where the engine of a context listens. */
export function fromContext(
  name: string,
  said: string,
  folder: string,
  machine: Surroundings,
): Endpoint {
  const id = createHash("sha256").update(name).digest("hex");
  const path = `${folder}/contexts/meta/${id}/meta.json`;
  const meta = _json(machine.read(path)) as {
    Endpoints?: { docker?: { Host?: unknown; SkipTLSVerify?: unknown } };
  } | undefined;
  const endpoint = meta?.Endpoints?.docker;
  if (typeof endpoint?.Host !== "string") {
    throw new SandboxError(
      "BACKEND_UNAVAILABLE",
      `Cannot reach docker: ${said} names the context ${
        JSON.stringify(name)
      }, which ${path} does not describe. Choose another with \`docker context use\`.`,
    );
  }
  const from = `the docker context ${JSON.stringify(name)}`;
  const dir = `${folder}/contexts/tls/${id}/docker`;
  const secured = endpoint.SkipTLSVerify === true ||
    ["ca", "cert", "key"].some((file) => machine.exists(`${dir}/${file}.pem`));
  const tls = secured && !/^(unix|npipe|ssh):/.test(endpoint.Host)
    ? tlsFrom("docker", dir, endpoint.SkipTLSVerify !== true, from, machine)
    : undefined;
  return parseAddress("docker", endpoint.Host, from, tls);
}

function _json(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
