import type { Readable } from "node:stream";
import { SandboxError } from "../../../errors.ts";
import { Flights } from "../../../flights.ts";
import type { Progress } from "../../../result.ts";
import {
  type BuildContext,
  packContext,
  readContext,
} from "./build_context.ts";
import type { Client } from "./client.ts";
import { oneLine, statusOf, wordsOf } from "./faults.ts";
import { errorTold, listen } from "./images.ts";
import { labelOf, thisProcess } from "./leases.ts";

/** Images that are kept, and images that end with those who use them. */
export const buildNames = {
  kept: "localhost/mote-template",
  passing: "localhost/mote-build",
} as const;

const _keyLength = 24;

/** How long a build that was aborted may take to let go, in ms. */
const _clearMs = 10_000;

const _pollMs = 50;

/** What a box from a Dockerfile is started from. */
export interface Built {
  /** The image's name. */
  readonly image: string;
  /** Says that it is no longer needed. */
  release(): Promise<void>;
}

/** Builds images, each once for all who ask at the same time. */
export class Builder {
  readonly #client: Client;
  readonly #flights = new Flights<void>();
  /** How many boxes need an image that is not kept, by its hash. */
  readonly #uses = new Map<string, number>();

  /** Builds on one engine. */
  constructor(client: Client) {
    this.#client = client;
  }

  /** The image of a Dockerfile; built unless it is there. */
  async build(
    path: string,
    keep: boolean,
    signal: AbortSignal | undefined,
    onProgress: ((progress: Progress) => void) | undefined,
  ): Promise<Built> {
    const action = `build ${oneLine(path, 200).replaceAll(":", "…")}`;
    const context = await readContext(path, signal);
    const key = context.hash.slice(0, _keyLength);
    const [kept, passing] = [buildNames.kept, buildNames.passing].map((name) =>
      `${name}:${key}`
    ) as [string, string];
    if (!keep) this.#uses.set(key, (this.#uses.get(key) ?? 0) + 1);
    let released = keep;
    const release = async () => {
      if (released) return;
      released = true;
      const left = (this.#uses.get(key) ?? 1) - 1;
      if (left > 0) return void this.#uses.set(key, left);
      this.#uses.delete(key);
      await this.#remove(passing);
    };
    try {
      if (await this.#has(kept)) return { image: kept, release };
      const waiter = { signal, onProgress, kept: keep, action };
      await this.#flights.join(
        key,
        waiter,
        async ({ signal, report }) => {
          try {
            await this.#build(context, passing, action, signal, report);
          } catch (error) {
            await this.#clear(key);
            throw error;
          }
        },
      );
      if (!keep) return { image: passing, release };
      await this.#client.bounded(
        { action },
        (abortSignal) =>
          this.#client.docker.getImage(passing).tag(
            { repo: buildNames.kept, tag: key, abortSignal },
          ),
      );
      if (!this.#uses.has(key)) await this.#remove(passing);
      return { image: kept, release };
    } catch (error) {
      await release();
      throw this.#client.fault(action, error);
    }
  }

  async #has(image: string): Promise<boolean> {
    try {
      await this.#client.bounded(
        { action: "look for a built image" },
        (abortSignal) =>
          this.#client.docker.getImage(image).inspect({ abortSignal }),
      );
      return true;
    } catch (error) {
      if (statusOf(error) === 404) return false;
      throw error;
    }
  }

  /** Takes a name away, and with the last one the image. Another's container may still need it, and then does so itself. */
  async #remove(image: string): Promise<void> {
    const action = "remove a built image";
    await this.#client.bounded(
      { action },
      (abortSignal) =>
        this.#client.docker.getImage(image).remove({ abortSignal }),
    ).catch((error) => {
      if (![404, 409].includes(statusOf(error) ?? 0)) {
        throw this.#client.fault(action, error);
      }
    });
  }

  /** Podman keeps the steps of a build that failed, as images without a name. */
  async #clear(key: string): Promise<void> {
    const { docker, engine } = this.#client;
    if (engine !== "podman") return;
    const action = "clear away after a build";
    const label = [`mote.build=${key}`];
    const filters = JSON.stringify({ label, dangling: ["true"] });
    const until = Date.now() + _clearMs;
    try {
      // A build that was aborted holds on to them until it has noticed.
      do {
        const left = await this.#client.bounded(
          { action },
          (abortSignal) => docker.listImages({ filters, abortSignal }),
        );
        if (left.length === 0) return;
        for (const { Id } of left) await this.#remove(Id);
        await new Promise<void>((done) => setTimeout(done, _pollMs));
      } while (Date.now() < until);
    } catch {
      // The error of the build says more; the next process clears away.
    }
  }

  async #build(
    context: BuildContext,
    image: string,
    action: string,
    signal: AbortSignal,
    report: (progress: Progress) => void,
  ): Promise<void> {
    if (await this.#has(image)) return;
    const text = (words: string) => oneLine(words, 200);
    const archive = packContext(context);
    let body: Readable;
    try {
      body = await this.#client.bounded(
        { action, timeMs: 3_600_000, signal },
        (abortSignal) =>
          this.#client.docker.buildImage(archive, {
            t: image,
            dockerfile: context.dockerfile,
            rm: true,
            forcerm: true,
            labels: {
              "mote.owner": labelOf(thisProcess()),
              "mote.build": context.hash.slice(0, _keyLength),
            },
            abortSignal,
          }),
      );
    } catch (error) {
      archive.destroy();
      if (statusOf(error) === undefined) throw error;
      throw _failed(action, this.#client.engine, wordsOf(error), []);
    }
    let failed: string | undefined;
    const last: string[] = [];
    let [done, total] = [0, 0];
    try {
      await listen(this.#client, action, body, signal, (told) => {
        failed ??= errorTold(told);
        const words = typeof told.stream === "string" ? told.stream.trim() : "";
        if (words === "") return;
        last.push(words);
        if (last.length > 20) last.shift();
        const step = /^S(?:tep|TEP) (\d+)\/(\d+)/.exec(words);
        if (step) [done, total] = [Number(step[1]) - 1, Number(step[2])];
        report({ stage: "compile", done, total, text: text(words) });
      });
    } finally {
      archive.destroy();
    }
    if (failed === undefined && await this.#has(image)) return;
    const words = failed ?? "nothing came of it";
    throw _failed(action, this.#client.engine, words, last);
  }
}

function _failed(
  action: string,
  engine: string,
  words: string,
  last: readonly string[],
): SandboxError {
  const said = last.length === 0
    ? ""
    : ` The end of what it said:\n${last.join("\n").slice(-2_000)}\n`;
  return new SandboxError(
    "GUEST_BUILD_FAILED",
    `Cannot ${action}: ${engine} says ${
      oneLine(words)
    }.${said} Correct the Dockerfile or what it uses.`,
  );
}
