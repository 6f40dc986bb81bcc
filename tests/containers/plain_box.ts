/**
 * Boxes without an engine: the agent as a child process of the test, in namespaces of its own where `unshare` makes
 * them, and beside everybody else where not.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Places } from "../../src/backends/container/agent/client.ts";
import type {
  Box,
  BoxSpec,
  ContainerEngine,
} from "../../src/backends/container/box.ts";

/** How a process gets namespaces of its own here; undefined where it can't. */
export const alone: readonly string[] | undefined = [
  ["unshare", "-m", "-p", "-f", "--kill-child", "--mount-proc"],
  ["unshare", "-r", "-m", "-p", "-f", "--kill-child", "--mount-proc"],
].find(([program, ...args]) =>
  spawnSync(program!, [...args, "true"]).status === 0
);

/** An engine whose boxes are child processes. */
export class PlainEngine implements ContainerEngine {
  readonly name = "docker";
  readonly cutsNetwork = true;
  readonly countsFiles = true;
  readonly #isolated: boolean;
  /** A folder for all of them, which have the same files. */
  readonly dir: string = mkdtempSync(join(tmpdir(), "mote-plain-"));
  readonly places: Places;
  /** Every process that was started. */
  readonly started: ChildProcess[] = [];

  constructor(isolated: boolean) {
    this.#isolated = isolated;
    this.places = {
      sandbox: `${this.dir}/sandbox`,
      libraries: `${this.dir}/site-packages`,
      agent: `${this.dir}/agent`,
      run: `${this.dir}/agent/run`,
      temporary: `${this.dir}/tmp`,
    };
  }

  probe() {
    return Promise.resolve({ available: true, reason: "a child process" });
  }

  start(spec: BoxSpec): Promise<Box> {
    const { sandbox, libraries, agent, temporary } = this.places;
    const mounts = spec.folders.map(({ path, sizeMb, files }) =>
      `mount -t tmpfs -o size=${sizeMb}m${
        files === null ? "" : `,nr_inodes=${files + 1}`
      } tmpfs ${path}`
    );
    for (const path of [sandbox, libraries, agent, temporary]) {
      mkdirSync(path, { recursive: true });
    }
    const command = this.#isolated
      ? [...alone!, "sh", "-c", `${mounts.join(" && ")} && exec "$@"`, "sh"]
      : [];
    const [program, ...args] = [...command, ...spec.command];
    const child = spawn(program!, args, {
      cwd: "/",
      env: { PATH: process.env.PATH!, ...spec.env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.started.push(child);
    return Promise.resolve(boxOf(child, this.#isolated));
  }

  /** Removes the folder. */
  end(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** A box around a process. */
export function boxOf(child: ChildProcess, isolated: boolean): Box {
  let said = "";
  child.stderr!.on("data", (text) => said = `${said}${text}`.slice(-4_096));
  child.stdin!.on("error", () => {});
  const gone = new Promise<void>((resolve) =>
    child.on("close", () => resolve())
  );
  return {
    id: String(child.pid),
    imageId: "",
    alone: isolated,
    channel: {
      output: child.stdout!,
      complaint: () => said,
      write: (bytes) =>
        new Promise((resolve, reject) =>
          child.stdin!.write(
            bytes,
            (error) => error ? reject(error) : resolve(),
          )
        ),
      close: () => void child.stdin!.end(),
    },
    lost: () =>
      Promise.resolve({
        code: "GUEST_CRASHED" as const,
        state: "the process is gone",
      }),
    async remove() {
      child.stdin!.destroy();
      const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
      await gone;
      clearTimeout(timer);
    },
  };
}
