import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { SandboxError } from "../../../errors.ts";
import type { GuestImage } from "../../backend.ts";
import type { Box } from "../box.ts";
import { feed } from "../feed.ts";
import {
  AgentClient,
  type AgentConfig,
  complaintOf,
  type Places,
} from "./client.ts";

const _helloMs = 30_000;

const _programs = new Map<string, Promise<Uint8Array>>();

/** The agent's program, read once and held against its hash. */
export function agentProgram(agent: GuestImage): Promise<Uint8Array> {
  let program = _programs.get(agent.path);
  if (!program) {
    program = _read(agent);
    _programs.set(agent.path, program);
    program.catch(() => _programs.delete(agent.path));
  }
  return program;
}

async function _read({ path, sha256 }: GuestImage): Promise<Uint8Array> {
  const program = await readFile(path);
  if (createHash("sha256").update(program).digest("hex") === sha256) {
    return program;
  }
  throw new SandboxError(
    "GUEST_INVALID",
    `Cannot open a session: ${path} is not the file that images.json names. Install the package again.`,
  );
}

/**
 * The main process of a box: a shell that reads the agent from its standard input, and becomes it. It takes exactly as
 * many bytes as the agent has, or more, as busybox's head does; so nothing else is sent before the agent's hello.
 */
export function agentCommand(
  program: Uint8Array,
  places: Places,
  attached: boolean,
): string[] {
  const bytes = program.byteLength;
  const file = `${places.agent}/agent`;
  if (attached) {
    // The folders are no mounts of ours; the agent's own is removed by it.
    const line =
      `mkdir -p "$3" && cd "$3" && [ -w . ] && umask 077 && mkdir -p "$1" "$2" && head -c ${bytes} > "$1/agent" && chmod 700 "$1/agent" && exec "$1/agent" unlink "$1"`;
    const { agent, libraries, sandbox } = places;
    return ["sh", "-c", line, "sh", agent, libraries, sandbox];
  }
  const line =
    `umask 077; head -c ${bytes} > ${file} && chmod 700 ${file} && exec ${file} unlink`;
  return ["sh", "-c", line];
}

/** Brings the agent into a box and waits until it is there. */
export async function bringAgent(
  box: Box,
  program: Uint8Array,
  config: AgentConfig,
  attached: boolean,
  signal?: AbortSignal,
): Promise<AgentClient> {
  const sent = box.fed ? undefined : feed(box.channel, program);
  try {
    return await AgentClient.connect(box.channel, config, _helloMs, signal);
  } catch (error) {
    await sent;
    const { code, state } = await box.lost();
    const said = complaintOf(box);
    const cure = attached
      ? "a workdir that its user can write to, in a container for linux/amd64 with sh, head and chmod"
      : "an image for linux/amd64 with sh, head and chmod";
    throw new SandboxError(
      code === "INTERNAL" ? "GUEST_INVALID" : code,
      `Cannot open a session: the agent does not run in the container: ${
        (error as Error).message
      }; ${state}${said}. Give ${cure}.`,
    );
  }
}
