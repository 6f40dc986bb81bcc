import type {
  Backend,
  Capabilities,
  ContainerSpec,
  GuestImage,
  GuestSpec,
} from "./backends/backend.ts";
import { workspace } from "./files/guest_path.ts";
import { findGuest } from "./guests/find.ts";
import { chooseGuest } from "./guests/choose.ts";
import type { Host } from "./host.ts";
import type { PreparedPackages } from "./install/install.ts";
import type { LanguageData } from "./languages/language.ts";
import { wantsLinux } from "./linux_guest.ts";
import type { ParsedOptions } from "./options.ts";
import type { Reporter } from "./progress.ts";

/** What was decided about a session before its wall is opened. */
export interface Opening {
  /** The language, as the guest speaks it. */
  readonly language: LanguageData;
  /** What the wall can do with this guest. */
  readonly capabilities: Capabilities;
  /** The image of the language; null where there is none. */
  readonly image: GuestImage | null;
  /** What a micro-VM boots. */
  readonly guest?: GuestSpec | undefined;
  /** Hash of what runs behind the wall. */
  readonly imageSha256?: string | undefined;
  /** Libraries that are there when it opens. */
  readonly packages?: PreparedPackages | undefined;
  /** What a container is made from. */
  readonly container?: ContainerSpec | undefined;
  /** Why this guest, where nobody asked for it. */
  readonly because?: string | undefined;
}

/** A guest of the user's gets code as it is. */
const _ownLanguage = {
  guest: null,
  code: "source",
  noInstall: "a guest of your own has all its libraries linked in",
  installIn: ["wasm"],
} as const;

const _engines: readonly string[] = ["docker", "podman", "kubernetes"];

/** What a container of a session is made from; the backend has said that it runs the language. */
function _container(
  options: ParsedOptions,
  language: LanguageData,
  host: Host,
): ContainerSpec {
  const container = language.container!;
  return {
    agent: findGuest("agent", host),
    language: container,
    image: options.image ?? container.image,
    dockerfile: options.dockerfile,
    containerId: options.containerId,
    rights: options.rights ?? {},
    workdir: options.workdir ?? workspace,
    runtimeConfigs: options.runtimeConfigs ?? {},
    keepTemplate: options.keepTemplate === true,
    commitContainer: options.commitContainer === true,
    skipEnvironmentSetup: options.skipEnvironmentSetup === true,
    kubeNamespace: options.kubeNamespace,
    podManifest: options.podManifest,
  };
}

/** Decides which guest a session gets, and prepares what that needs. */
export async function decideOpening(
  backend: Backend,
  options: ParsedOptions,
  language: LanguageData,
  host: Host,
  cacheDir: string,
  report: Reporter,
): Promise<Opening> {
  const can = (options: ParsedOptions): Capabilities =>
    backend.capabilitiesFor?.(options) ?? backend.capabilities;
  if (options.guestBinaryPath !== undefined) {
    const { findOwnGuest } = await import("./guests/own.ts");
    const { keepTemplate, buildTimeoutMs, signal } = options;
    const elf = await findOwnGuest(options.guestBinaryPath, {
      cacheDir,
      keepTemplate,
      buildTimeoutMs,
      signal,
      onProgress: report.progress,
    }).finally(() => report.clear());
    return {
      language: { ...language, ..._ownLanguage },
      capabilities: can(options),
      image: null,
      guest: { kind: "elf", elf },
      imageSha256: elf.sha256,
    };
  }
  if (_engines.includes(backend.name)) {
    const container = _container(options, language, host);
    return { language, capabilities: can(options), image: null, container };
  }
  const packages = await _packages(backend, options, cacheDir, report);
  const { image, guest } = chooseGuest(
    backend.guests,
    language.guest,
    options,
    host,
    packages?.site,
  );
  if (guest?.kind !== "linux") {
    const imageSha256 = image?.sha256;
    return { language, capabilities: can(options), image, guest, imageSha256 };
  }
  return {
    language,
    capabilities: can({ ...options, guest: "linux" }),
    image,
    guest,
    imageSha256: guest.image.sha256,
    packages,
    because: wantsLinux(options)
      ? undefined
      : 'guest "linux", as libraries hold native code',
  };
}

/** Libraries of a linux guest, which are there when it opens; undefined when they are installed later, or there are none. */
async function _packages(
  backend: Backend,
  options: ParsedOptions,
  cacheDir: string,
  report: Reporter,
): Promise<PreparedPackages | undefined> {
  const { libraries, guest, lang, signal } = options;
  if (backend.guests !== "machines" || !libraries?.length) return undefined;
  if (lang !== "python" || guest === "micro") return undefined;
  const { preparePackages } = await import("./install/install.ts");
  const packages = await preparePackages(libraries, {
    cacheDir,
    signal,
    onProgress: report.progress,
  }).finally(() => report.clear());
  return packages.native || wantsLinux(options) ? packages : undefined;
}
