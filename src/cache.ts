import { SandboxError } from "./errors.ts";
import { type Host, isAbsolute } from "./host.ts";

/**
 * Where built and downloaded things are kept: MOTE_CACHE_DIR, else `mote` in the
 * cache directory that the operating system gives the user.
 */
export function cacheDir(host: Pick<Host, "env" | "cwd" | "platform">): string {
  const own = host.env("MOTE_CACHE_DIR");
  if (own) return isAbsolute(own, host.platform) ? own : `${host.cwd()}/${own}`;
  const xdg = host.env("XDG_CACHE_HOME");
  if (xdg && isAbsolute(xdg, host.platform)) return `${xdg}/mote`;
  if (host.platform === "win32") {
    const local = host.env("LOCALAPPDATA");
    if (local) return `${local}\\mote\\cache`;
  }
  const home = host.env("HOME") ?? host.env("USERPROFILE");
  if (home) {
    return host.platform === "darwin"
      ? `${home}/Library/Caches/mote`
      : `${home}/.cache/mote`;
  }
  throw new SandboxError(
    "BACKEND_UNAVAILABLE",
    "Cannot find a place for the cache: neither MOTE_CACHE_DIR nor HOME can be read. Set MOTE_CACHE_DIR to a directory of yours.",
  );
}
