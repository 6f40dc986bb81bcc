import type { FileStore, Wall } from "../backends/backend.ts";
import type { ContainerLanguage } from "../languages/language.ts";
import { SandboxError } from "../errors.ts";
import { loadHost } from "../host.ts";
import { hostError, throwIfAborted } from "../host_error.ts";
import type { InstalledLibrary, Progress } from "../result.ts";
import { apt } from "./clients/apt.ts";
import { byName, type InstallClient } from "./clients/client.ts";
import { cran } from "./clients/cran.ts";
import { gem } from "./clients/gem.ts";
import { go } from "./clients/go.ts";
import { maven } from "./clients/maven.ts";
import { npm } from "./clients/npm.ts";
import { failed } from "./pip.ts";
import type { ProxyRules } from "./proxy.ts";
import { DamagedTree, type KeptTree, TreeStore } from "./tree_store.ts";

const _clients: Readonly<
  Record<Exclude<ContainerLanguage["installer"], "pip">, InstallClient>
> = { npm, maven, apt, go, gem, cran };

const _action = "install packages";
/** How long a client may take, in ms. */
export const installTimeMs = 600_000;
const _missing = 64;
const _listBytesMax = 4_194_304;
const _mostLibraries = 20_000;
const _keptErrorChars = 4_000;
const _line =
  /^(\P{C}{1,300})\t(\P{C}{1,100})(?:\t([0-9a-f]{64})?)?(?:\t([A-Za-z0-9:+/=-]{0,200}))?$/u;

/** What an installation in a container needs to know. */
export interface ContainerInstall {
  /** Which client. */
  readonly installer: Exclude<ContainerLanguage["installer"], "pip">;
  /** Names the image, for what is kept of it. */
  readonly image: string;
  /** Opens a box of its own from the same image, for a script of `sh` that reaches the network through the host. */
  readonly open: (
    env: Readonly<Record<string, string>>,
    rules: ProxyRules,
    signal: AbortSignal | undefined,
  ) => Promise<Wall>;
  /** Where downloads are kept. */
  readonly cacheDir: string;
  /** Where the libraries go. */
  readonly files: FileStore;
  /** What the session asked for before. */
  readonly asked: readonly string[];
  /** Cancels it. */
  readonly signal: AbortSignal | undefined;
  /** Is told how far it has come. */
  readonly onProgress: (progress: Progress) => void;
}

/** What there is after an installation. */
export interface ContainerInstalled {
  /** Everything that the session now has. */
  readonly libraries: readonly InstalledLibrary[];
  /** Everything that it asked for. */
  readonly asked: readonly string[];
}

/**
 * Installs packages in a box of their own, and lets what came out take the place of the session's libraries: packages
 * that were asked for at different times are still resolved together. The session itself reaches nothing.
 */
export async function installInContainer(
  names: readonly string[],
  context: ContainerInstall,
): Promise<ContainerInstalled> {
  const client = _clients[context.installer];
  byName(client, names);
  const wanted = byName(client, [...context.asked, ...names]);
  const asked = [...wanted.values()];
  const { signal, files, onProgress } = context;
  if (names.length === 0) return { libraries: [], asked };
  throwIfAborted(signal, _action);
  const store = new TreeStore(context.cacheDir);
  try {
    for (let attempt = 0;; attempt++) {
      const tree = await _tree(store, client, asked, context);
      const text = "unpacking packages";
      try {
        await store.put(
          tree,
          files,
          signal,
          (done, total) => onProgress({ stage: "unpack", done, total, text }),
        );
        return { libraries: tree.libraries, asked };
      } catch (error) {
        if (!(error instanceof DamagedTree) || attempt > 0) throw error;
        await store.drop(tree);
      }
    }
  } catch (error) {
    if (error instanceof DamagedTree) {
      throw failed(
        asked,
        `${error.message} in the cache is not what was installed, time and again`,
        "See that nothing else writes to the cache directory",
      );
    }
    throw hostError(error, _action);
  }
}

async function _tree(
  store: TreeStore,
  client: InstallClient,
  asked: readonly string[],
  context: ContainerInstall,
): Promise<KeptTree> {
  const registries = await _registries(client);
  const key = JSON.stringify([
    context.image,
    client.name,
    client.script,
    [...asked].sort(),
    registries,
  ]);
  return await store.find(key) ??
    await _make(store, key, client, asked, registries, context);
}

async function _make(
  store: TreeStore,
  key: string,
  client: InstallClient,
  asked: readonly string[],
  registries: Readonly<Record<string, string>>,
  context: ContainerInstall,
): Promise<KeptTree> {
  const { signal, onProgress } = context;
  const text = `installing ${asked.join(", ")} with ${client.name}`;
  onProgress({ stage: "resolve", done: 0, total: 0, text });
  const trust = await _trust();
  const env = { ...registries, ...(trust && _trusting) };
  const rules = await _rules(Object.values(registries));
  const box = await context.open(env, rules, signal);
  try {
    if (trust) {
      await box.files("sandbox").write("ca.pem", trust, { offset: null });
    }
    let said = "";
    const decoder = new TextDecoder();
    const { exitCode, failure } = await box.run({
      code: `set -e\nexport INSTALLED="$PWD/installed" SCRATCH=/tmp/install
mkdir -p "$SCRATCH"\n${client.script}`,
      stdin: "",
      args: asked,
      timeMs: installTimeMs,
      signal,
      onOutput: (_, bytes) => {
        said = (said + decoder.decode(bytes)).slice(-_keptErrorChars);
        const line = said.trimEnd().split("\n").at(-1)!.slice(0, 100);
        if (line) {
          onProgress({ stage: "download", done: 0, total: 0, text: line });
        }
      },
      onCall: () => Promise.resolve({ error: "failed", message: "no tools" }),
    });
    throwIfAborted(signal, _action);
    if (failure || exitCode !== 0) {
      throw _failure(client, asked, exitCode, said, failure?.message);
    }
    const libraries = await _libraries(box.files("sandbox"), asked);
    onProgress({ stage: "download", done: 1, total: 1, text });
    return await store.keep(
      key,
      box.files("site-packages"),
      libraries,
      signal,
    );
  } finally {
    await box.close();
  }
}

function _failure(
  { name, telling }: InstallClient,
  asked: readonly string[],
  exitCode: number,
  said: string,
  failure: string | undefined,
): SandboxError {
  // deno-lint-ignore no-control-regex
  const plain = said.replace(/\x1b\[[0-9;]*m/g, "").replace(
    /[^\P{C}\n]/gu,
    " ",
  );
  const lines = plain.split("\n").map((line) => line.trim())
    .filter((line) => line !== "");
  const tells = telling && lines.findLast((line) => telling.test(line));
  const last = (tells ?? lines.at(-1) ?? "it said nothing").slice(0, 300)
    .replace(/\.+$/, "");
  if (exitCode === _missing && !failure) {
    return new SandboxError(
      "TOOLCHAIN_MISSING",
      `Cannot install ${asked.join(", ")}: ${last}. Use an image that has it.`,
    );
  }
  const why = failure === undefined
    ? `${name} ended with ${exitCode}: ${last}`
    : `${name} was ended: ${failure.replace(/\.$/, "")}`;
  return failed(
    asked,
    why,
    "Check the names, and that the host reaches the registry",
    said,
  );
}

/** What the script says that it installed; a package's own code may have had a hand in it. */
async function _libraries(
  files: FileStore,
  asked: readonly string[],
): Promise<InstalledLibrary[]> {
  const odd = (state: string) =>
    failed(asked, `the list of what was installed ${state}`, "Try again");
  const { bytes, eof } = await files.read("installed", 0, 1_048_576)
    .catch(() => {
      throw odd("is missing");
    });
  if (!eof || bytes.byteLength > _listBytesMax) throw odd("is too long");
  const lines = new TextDecoder().decode(bytes).split("\n")
    .filter((line) => line !== "");
  if (lines.length > _mostLibraries) throw odd("is too long");
  return lines.map((line) => {
    const match = _line.exec(line);
    if (!match) throw odd("cannot be read");
    const [, name = "", version = "", sha256, integrity] = match;
    return {
      name,
      version,
      ...(sha256 && { sha256 }),
      ...(integrity && { integrity }),
    };
  });
}

/** Which registries the host's own client uses, as far as its environment says. */
async function _registries(
  { passedOn }: InstallClient,
): Promise<Record<string, string>> {
  const host = await loadHost();
  const found: Record<string, string> = {};
  for (const name of passedOn) {
    const value = host.env(name);
    if (value) found[name] = value;
  }
  return found;
}

/** What the settings of the host name, and the proxy that it has to use itself. */
async function _rules(settings: readonly string[]): Promise<ProxyRules> {
  const host = await loadHost();
  const named = new Set<string>();
  for (const text of settings.flatMap((one) => one.split(/[,|\s]/))) {
    const url = _url(text);
    if (!url) continue;
    const port = url.port || (url.protocol === "http:" ? "80" : "443");
    named.add(`${url.hostname.replace(/^\[|\]$/g, "")}:${port}`);
  }
  const more = (host.env("MOTE_INSTALL_HOSTS") ?? "").split(/[,\s]+/)
    .filter((one) => one !== "");
  for (const one of more) {
    const ports = /:\d+$/.test(one) ? [""] : [":80", ":443"];
    for (const port of ports) named.add(`${one.toLowerCase()}${port}`);
  }
  const upstream = ["https_proxy", "HTTPS_PROXY", "http_proxy"]
    .map((name) => _url(host.env(name) ?? ""))
    .find((url) => url?.protocol === "http:");
  return { named, upstream, anywhere: more.includes("*") };
}

function _url(text: string): URL | undefined {
  try {
    const url = new URL(text);
    return /^https?:$/.test(url.protocol) ? url : undefined;
  } catch {
    return undefined;
  }
}

const _certificates = "/sandbox/ca.pem";
/** What makes each client trust what the host trusts. */
const _trusting: Readonly<Record<string, string>> = {
  SSL_CERT_FILE: _certificates,
  NODE_EXTRA_CA_CERTS: _certificates,
  CURL_CA_BUNDLE: _certificates,
  REQUESTS_CA_BUNDLE: _certificates,
  GIT_SSL_CAINFO: _certificates,
};

/** Certificates that the host was told to trust by a variable: those of an image would not do. */
async function _trust(): Promise<Uint8Array | undefined> {
  const host = await loadHost();
  const file = host.env("SSL_CERT_FILE") ?? host.env("NODE_EXTRA_CA_CERTS");
  const text = file ? host.readText(file) : undefined;
  const bytes = text ? new TextEncoder().encode(text) : undefined;
  return bytes && bytes.byteLength <= 1_048_576 ? bytes : undefined;
}
