import { SandboxError } from "../../errors.ts";
import type { Language } from "../../options.ts";
import type { ContainerSpec } from "../backend.ts";
import { AgentProcess, type Report } from "./agent/process.ts";
import type { Manned } from "./wall.ts";

const _mib = 1_048_576;
const _timeMs = 20_000;
const _textMax = 4_096;

/** Images that have been found to have what a language needs. */
const _checked = new Set<string>();

/** Throws unless a box has the programs that its language needs, and the working directory. */
export async function checkImage(
  engine: string,
  { box, client }: Manned,
  lang: Language,
  { language, image, workdir }: ContainerSpec,
): Promise<void> {
  const key = [engine, box.imageId, lang, workdir].join("\n");
  if (box.imageId !== "" && _checked.has(key)) return;
  const process = new AgentProcess(client);
  const said: Uint8Array[] = [];
  let bytes = 0;
  const ended = new Promise<Report | undefined>((resolve) => {
    process.sink = {
      output: (stream, piece) => {
        if (stream === "stdout" && bytes < _textMax) said.push(piece);
        bytes += piece.byteLength;
      },
      control: () => {},
      ended: resolve,
      settled: resolve,
      lost: () => resolve(undefined),
    };
  });
  const line =
    'cd -- "$1" || echo .; shift; for one; do command -v "$one" >/dev/null || echo "$one"; done';
  await process.start({
    command: ["sh", "-c", line, "sh", workdir, ...language.needs],
    env: {},
    cwd: "/",
    living: false,
    keepsFolder: false,
    dataBytes: 0,
    limits: { timeMs: _timeMs, cpuMs: 0, memoryBytes: 64 * _mib },
  }, "open a session");
  process.inputEnd(0);
  const report = await ended;
  const text = said.map((piece) => new TextDecoder().decode(piece)).join("");
  const missing = text.split("\n").filter((name) => name !== "");
  if (missing.includes(".")) {
    throw new SandboxError(
      "INVALID_OPTION",
      `Cannot open a session: the container has no folder ${
        JSON.stringify(workdir)
      } to work in. Give a workdir that its image has, or one in /sandbox that is made first.`,
    );
  }
  if (missing.length === 0 && report?.status === 0) {
    if (box.imageId !== "") _checked.add(key);
    return;
  }
  const lacks = missing.length > 0
    ? `the image ${image} has no ${missing.join(", ")}, which ${lang} needs`
    : `the image ${image} could not be looked at`;
  throw new SandboxError(
    "GUEST_INVALID",
    `Cannot open a session: ${lacks}. Give an image that has it, or set skipEnvironmentSetup if it is put there later.`,
  );
}
