import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { firstByte, output } from "../process.ts";
import type { Lang, Peer } from "./peer.ts";

/** The system's own python3 rather than a version manager's script around another. */
const python = existsSync("/usr/bin/python3") ? "/usr/bin/python3" : "python3";

/** How a host runs code that is given as an argument. */
const interpreters: Readonly<Record<Lang, readonly string[]>> = {
  python: [python, "-I", "-c"],
  javascript: ["node", "-e"],
};

/** The same in an image, where the path finds it. */
const inImages: typeof interpreters = {
  ...interpreters,
  python: ["python3", "-I", "-c"],
};

/** Peers that are a command around an interpreter. */
function command(
  name: string,
  lang: Lang,
  around: readonly string[],
  probe: readonly string[],
  inside = interpreters,
): Peer {
  const line = [...around, ...inside[lang]];
  return {
    name,
    lang,
    async missing() {
      try {
        await output(probe[0]!, probe.slice(1));
      } catch (error) {
        return (error as Error).message.split("\n")[0];
      }
    },
    fresh: (code, expected) =>
      firstByte(line[0]!, [...line.slice(1), code], expected),
  };
}

/** A process of the host, with no wall at all. */
export function hostProcess(lang: Lang): Peer {
  const name = lang === "python" ? "python3 process" : "node process";
  return command(name, lang, [], [interpreters[lang][0]!, "--version"]);
}

const bubble = [
  "bwrap",
  "--unshare-all",
  "--die-with-parent",
  "--ro-bind",
  "/",
  "/",
  "--dev",
  "/dev",
  "--proc",
  "/proc",
  "--tmpfs",
  "/tmp",
];

/** bubblewrap: namespaces around a process of the host. */
export const bubblewrap = (lang: Lang): Peer =>
  command("bubblewrap", lang, bubble, [...bubble, "true"]);

/** The command of a container engine, as a user would type it. */
export function engineCommand(engine: "docker" | "podman", lang: Lang): Peer {
  const prefix = process.env.MOTE_TEST_IMAGES;
  const image = prefix
    ? `${prefix}${lang === "python" ? "python" : "node"}:1`
    : { python: "python:3.13-slim", javascript: "node:24-slim" }[lang];
  const around = [engine, "run", "--rm", "--network", "none", image];
  const probe = [engine, "image", "inspect", image];
  return command(`${engine} run`, lang, around, probe, inImages);
}

/** runc on a bundle of the host's own files: what container engines end in. */
export function runc(lang: Lang): Peer {
  let bundle = "";
  let runs = 0;
  return {
    name: "runc bundle",
    lang,
    async missing() {
      if (process.getuid?.() !== 0) return "it needs root here";
      try {
        await output("runc", ["--version"]);
      } catch (error) {
        return (error as Error).message.split("\n")[0];
      }
      bundle = mkdtempSync(join(tmpdir(), "mote-runc-"));
      try {
        await this.fresh("", "");
      } catch (error) {
        await this.close!();
        return (error as Error).message.split("\n")[0];
      }
    },
    async fresh(code, expected) {
      const args = [...interpreters[lang], code];
      const root = join(bundle, "rootfs");
      mkdirSync(root, { recursive: true });
      writeFileSync(join(bundle, "config.json"), JSON.stringify(spec(args)));
      const id = `mote-bench-${process.pid}-${runs++}`;
      return await firstByte("runc", ["run", "--bundle", bundle, id], expected);
    },
    close: () =>
      Promise.resolve(rmSync(bundle, { recursive: true, force: true })),
  };
}

function spec(args: readonly string[]): unknown {
  const bind = (path: string) => ({
    destination: path,
    source: path,
    type: "bind",
    options: ["rbind", "ro"],
  });
  return {
    ociVersion: "1.0.2",
    process: {
      user: { uid: 65534, gid: 65534 },
      args,
      env: [`PATH=${process.env.PATH}`, "HOME=/tmp"],
      cwd: "/",
      noNewPrivileges: true,
    },
    root: { path: "rootfs" },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      {
        destination: "/dev",
        type: "tmpfs",
        source: "tmpfs",
        options: ["size=64k"],
      },
      { destination: "/tmp", type: "tmpfs", source: "tmpfs" },
      ...["/usr", "/lib", "/lib64", "/bin", "/etc"].map(bind),
    ],
    linux: {
      namespaces: ["pid", "network", "ipc", "uts", "mount"].map((type) => ({
        type,
      })),
    },
  };
}
