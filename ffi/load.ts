import { SandboxError } from "../src/errors.ts";
import { type Host, loadHost, pathOf } from "../src/host.ts";
import { abiVersion } from "./abi.ts";
import type { Library } from "./core.ts";

/** Version of the platform packages that belong to these sources. */
export const packageVersion = "0.1.0";

let _loaded: Promise<Library> | undefined;

/** Loads the native library when it is first needed; a failure can be tried again. */
export function loadLibrary(): Promise<Library> {
  return _loaded ??= _load().catch((error) => {
    _loaded = undefined;
    throw error;
  });
}

async function _load(): Promise<Library> {
  const host = await loadHost();
  const path = await _find(host);
  let opened;
  try {
    opened = "Deno" in globalThis
      ? (await import("./deno.ts")).openDeno(path)
      : await (await import("./koffi.ts")).openKoffi(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw _unavailable(
      `${path} does not load (${why})`,
      "Build it again with `deno task build`",
      cause,
    );
  }
  if (opened.abiVersion !== abiVersion) {
    throw _unavailable(
      `${path} speaks version ${opened.abiVersion} of the ABI and these sources version ${abiVersion}`,
      "Build it again with `deno task build`, or install matching versions of the packages",
    );
  }
  return opened.library;
}

async function _find(host: Host): Promise<string> {
  const own = host.env("MOTE_LIBRARY");
  if (own) {
    if (host.exists(own)) return own;
    throw _unavailable(
      `MOTE_LIBRARY is ${own}, and there is no such file`,
      "Correct or unset it",
    );
  }
  const looked: string[] = [];
  const built = new URL(
    `../target/release/${_fileName(host)}`,
    import.meta.url,
  );
  if (built.protocol === "file:") {
    const path = pathOf(built, host.platform);
    if (host.exists(path)) return path;
    looked.push(path);
  }
  const name = `@mote/sandbox-${host.platform}-${host.arch}${
    host.platform === "linux" ? "-gnu" : ""
  }`;
  const specifier = built.protocol === "file:"
    ? name
    : `npm:${name}@${packageVersion}`;
  try {
    const { path } = await import(specifier) as { path: string };
    if (host.exists(path)) return path;
    looked.push(path);
  } catch {
    looked.push(`the package ${name}`);
  }
  throw _unavailable(
    `it is neither ${looked.join(" nor ")}`,
    `Run \`deno task build\` in a checkout, install ${name}, or set MOTE_LIBRARY to the library's path`,
  );
}

function _fileName({ platform }: Host): string {
  if (platform === "win32") return "mote.dll";
  return platform === "darwin" ? "libmote.dylib" : "libmote.so";
}

function _unavailable(
  state: string,
  cure: string,
  cause?: unknown,
): SandboxError {
  return new SandboxError(
    "BACKEND_UNAVAILABLE",
    `Cannot load the native library: ${state}. ${cure}.`,
    cause === undefined ? {} : { cause },
  );
}
