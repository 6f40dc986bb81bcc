import { Buffer } from "node:buffer";
import { type Surroundings, thisMachine } from "./surroundings.ts";

/** What an engine's own registry is called in files of logins: Docker names its index, Podman the host. */
const _default = /^(https:\/\/index\.[a-z.]+\/v1\/|docker\.[a-z]+)$/;

/** The login for the registry of an image that `docker login` or `podman login` wrote down in the open. */
export function authFor(
  image: string,
  { env, home, read }: Surroundings = thisMachine(),
): Record<string, string> | undefined {
  const first = image.split("/", 1)[0]!;
  const own = image.includes("/") && /[.:]|^localhost$/.test(first);
  const registry = own ? first : undefined;
  const runtime = env("XDG_RUNTIME_DIR");
  const files = [
    env("REGISTRY_AUTH_FILE"),
    `${env("DOCKER_CONFIG") ?? `${home}/.docker`}/config.json`,
    runtime === undefined ? undefined : `${runtime}/containers/auth.json`,
  ];
  for (const file of files) {
    const text = file === undefined ? undefined : read(file);
    const found = text === undefined ? undefined : _login(text, registry);
    if (found) return found;
  }
  return undefined;
}

function _login(
  text: string,
  registry: string | undefined,
): Record<string, string> | undefined {
  let auths: Record<string, { auth?: unknown; identitytoken?: unknown } | null>;
  try {
    auths = JSON.parse(text).auths ?? {};
  } catch {
    return undefined;
  }
  const names = registry === undefined
    ? Object.keys(auths).filter((name) => _default.test(name))
    : [registry, `https://${registry}`, `https://${registry}/v1/`];
  const name = names.find((one) => auths[one]?.auth);
  const login = name === undefined ? undefined : auths[name];
  if (typeof login?.auth !== "string") return undefined;
  const pair = Buffer.from(login.auth, "base64").toString("utf8");
  const colon = pair.indexOf(":");
  if (colon < 1) return undefined;
  return {
    username: pair.slice(0, colon),
    password: pair.slice(colon + 1),
    serveraddress: registry ?? name!,
    ...typeof login.identitytoken === "string" &&
      { identitytoken: login.identitytoken },
  };
}
