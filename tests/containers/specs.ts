/**
 * What the tests start. The image comes from MOTE_TEST_IMAGES, a prefix such as "localhost/images/" in front of
 * "python:1"; without it, it is pulled.
 */
import process from "node:process";
import type {
  BoxLimits,
  BoxRights,
  BoxSpec,
} from "../../src/backends/container/box.ts";

const prefix = process.env.MOTE_TEST_IMAGES;

/** The image that the tests use; it has sh and Python. */
export const image: string = prefix === undefined
  ? "python:3-slim"
  : `${prefix}python:1`;

export const noRights: BoxRights = {
  network: false,
  read: {},
  write: {},
  root: false,
  writableRoot: false,
  capabilities: [],
  newPrivileges: false,
};

export const limits: BoxLimits = {
  memoryMb: 64,
  cpus: 1,
  processes: 64,
  workspaceMb: 16,
  workspaceFiles: 100,
};

/** What a session would start, with `script` in place of the agent. */
export function boxSpec(script: string, more: Partial<BoxSpec> = {}): BoxSpec {
  return {
    source: { kind: "image", image },
    command: ["sh", "-c", script],
    workdir: "/",
    env: {},
    folders: [
      { path: "/sandbox", sizeMb: 16, files: 100, executable: true },
      { path: "/tmp", sizeMb: 8, files: null, executable: false },
      { path: "/run/mote", sizeMb: 8, files: null, executable: true },
    ],
    rights: noRights,
    limits,
    runtimeConfigs: {},
    purpose: "session",
    keepTemplate: false,
    ...more,
  };
}
