import { Buffer } from "node:buffer";
import { type Surroundings, thisMachine } from "./surroundings.ts";

/** Docker's own registry, as its client names it in the file of logins. */
const _hub = "https://index.docker.io/v1/";

/** The login for the registry of an image that `docker login` or `podman login` wrote down in the open. */
export function authFor(
  image: string,
  { env, home, read }: Surroundings = thisMachine(),
): Record<string, string> | undefined {
  const first = image.split("/", 1)[0]!;
  const own = image.includes("/") && /[.:]|^localhost$/.test(first);
  const registry = own ? first : _hub;
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
  registry: string,
): Record<string, string> | undefined {
  let auths: Record<string, { auth?: unknown; identitytoken?: unknown } | null>;
  try {
    auths = JSON.parse(text).auths ?? {};
  } catch {
    return undefined;
  }
  const names = [registry, `https://${registry}`, `https://${registry}/v1/`];
  if (registry === _hub) names.push("docker.io");
  const login = names.map((name) => auths[name]).find((one) => one?.auth);
  if (typeof login?.auth !== "string") return undefined;
  const pair = Buffer.from(login.auth, "base64").toString("utf8");
  const colon = pair.indexOf(":");
  if (colon < 1) return undefined;
  return {
    username: pair.slice(0, colon),
    password: pair.slice(colon + 1),
    serveraddress: registry,
    ...typeof login.identitytoken === "string" &&
      { identitytoken: login.identitytoken },
  };
}
