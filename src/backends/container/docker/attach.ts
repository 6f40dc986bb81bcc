import { SandboxError } from "../../../errors.ts";
import type { Box, BoxSpec, Channel, Loss } from "../box.ts";
import { whatBecame } from "./box.ts";
import { AttachedChannel } from "./channel.ts";
import type { Client } from "./client.ts";
import { oneLine, statusOf } from "./faults.ts";
import { userOf } from "./request.ts";

/** How long our process in another's container may take to end once its input has, in ms. */
const _endMs = 10_000;

const _pollMs = 20;

/** A process of ours in a container that was there before, and stays. */
class _ForeignBox implements Box {
  readonly id: string;
  readonly imageId: string;
  readonly channel: Channel;
  readonly alone = false;
  readonly #client: Client;
  readonly #exec: string;
  readonly #memoryMb: number;
  #removed: Promise<void> | undefined;

  constructor(
    client: Client,
    id: string,
    imageId: string,
    exec: string,
    channel: Channel,
    memoryMb: number,
  ) {
    this.#client = client;
    this.id = id;
    this.imageId = imageId;
    this.#exec = exec;
    this.channel = channel;
    this.#memoryMb = memoryMb;
  }

  lost(): Promise<Loss> {
    return whatBecame(this.#client, this.id, this.#memoryMb);
  }

  remove(): Promise<void> {
    return this.#removed ??= this.#end().catch((error) => {
      this.#removed = undefined;
      throw error;
    });
  }

  /** The end of its input ends our process and all that it started; the container is another's. */
  async #end(): Promise<void> {
    this.channel.close();
    const action = `leave the container ${this.id.slice(0, 12)}`;
    const until = Date.now() + _endMs;
    for (;;) {
      try {
        const { Running } = await this.#client.bounded(
          { action, timeMs: _endMs },
          (abortSignal) =>
            this.#client.docker.getExec(this.#exec).inspect({
              abortSignal,
            }),
        );
        if (!Running) return;
      } catch (error) {
        if ([404, 409].includes(statusOf(error) ?? 0)) return;
        throw this.#client.fault(action, error);
      }
      if (Date.now() > until) {
        throw new SandboxError(
          "INTERNAL",
          `Cannot ${action}: a process in it did not end within ${_endMs} ms. Restart the container.`,
        );
      }
      await new Promise<void>((done) => setTimeout(done, _pollMs));
    }
  }
}

/** Starts our process in a container that runs already. */
export async function attachTo(
  client: Client,
  spec: BoxSpec,
  id: string,
): Promise<Box> {
  const { docker } = client;
  const action = `attach to the container ${oneLine(id, 80)}`;
  const limits = { action, signal: spec.signal };
  const refuse = (
    code: "GUEST_NOT_FOUND" | "INVALID_OPTION",
    state: string,
    cure: string,
  ) => new SandboxError(code, `Cannot ${action}: ${state}. ${cure}.`);
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(id)) {
    const cure = "Give a container's name or identifier";
    throw refuse("INVALID_OPTION", "that is no name of one", cure);
  }
  if (Object.keys(spec.runtimeConfigs).length > 0) {
    const cure = "Leave out runtimeConfigs, or containerId";
    throw refuse("INVALID_OPTION", "it was made already", cure);
  }
  try {
    const found = await client.bounded(
      limits,
      (abortSignal) => docker.getContainer(id).inspect({ abortSignal }),
    );
    if (!found.State.Running || found.State.Paused) {
      const cure = `Start it with \`${client.engine} start ${id}\``;
      throw refuse("GUEST_NOT_FOUND", `it is ${found.State.Status}`, cure);
    }
    const exec = await client.bounded(
      limits,
      (abortSignal) =>
        docker.getContainer(found.Id).exec({
          Cmd: [...spec.command],
          Env: Object.entries(spec.env).map(([name, value]) =>
            `${name}=${value}`
          ),
          WorkingDir: spec.workdir,
          User: _user(spec, found.Config.User),
          AttachStdin: true,
          AttachStdout: true,
          AttachStderr: true,
          Tty: false,
          Privileged: false,
          abortSignal,
        }),
    );
    const stream = await client.hijack(`/exec/${exec.id}/start`, {
      Detach: false,
      Tty: false,
    }, limits);
    return new _ForeignBox(
      client,
      found.Id,
      found.Image,
      exec.id,
      new AttachedChannel(stream),
      spec.limits.memoryMb,
    );
  } catch (error) {
    if (statusOf(error) === 404) {
      const cure = `See \`${client.engine} ps\``;
      throw refuse("GUEST_NOT_FOUND", `${client.engine} has none`, cure);
    }
    throw client.fault(action, error);
  }
}

/** The container's own user, unless that is root and nobody gave the right to it. */
function _user({ rights }: BoxSpec, own: string | undefined): string {
  if (rights.root) return "0:0";
  const named = own ?? "";
  return /^(0|root)?(:.*)?$/.test(named) ? userOf(rights) : named;
}
