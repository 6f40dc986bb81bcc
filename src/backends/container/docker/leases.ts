import { createHash, randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import process from "node:process";

/** How long a container of a process that nobody can see is left alone after its last sign of life, in ms. */
export const leaseMs = 7_200_000;

/** How often a lease is renewed, in ms. */
export const renewalMs = 1_200_000;

/** How long what has stopped is left to its owner on another machine, in ms. */
const _stoppedMs = 900_000;

/** A process that owns containers. */
export interface Owner {
  /** Its machine, since the last start of that, and there its namespace of processes. */
  readonly host: string;
  /** Its number there. */
  readonly pid: number;
  /** When it started, as the kernel counts; empty where that is not known. */
  readonly started: string;
}

let _self: Owner | undefined;

/** This process. */
export function thisProcess(): Owner {
  return _self ??= {
    host: _host(),
    pid: process.pid,
    started: _startOf("self") ?? "",
  };
}

function _host(): string {
  const hash = createHash("sha256");
  try {
    hash.update(readFileSync("/proc/sys/kernel/random/boot_id"));
    hash.update(readlinkSync("/proc/self/ns/pid"));
  } catch {
    hash.update(`${process.platform} ${hostname()}`);
  }
  return hash.digest("hex").slice(0, 16);
}

/** The field of /proc/PID/stat that tells two processes with one number apart. */
function _startOf(pid: number | "self"): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

/** An owner as a label. */
export function labelOf({ host, pid, started }: Owner): string {
  return `${host}/${pid}/${started}`;
}

/** The owner that a label names; undefined for what is none of ours. */
export function ownerOf(label: unknown): Owner | undefined {
  if (typeof label !== "string") return undefined;
  const found = /^([0-9a-f]{16})\/([1-9]\d{0,9})\/(\d{0,20})$/.exec(label);
  if (!found) return undefined;
  return { host: found[1]!, pid: Number(found[2]), started: found[3]! };
}

/** Whether an owner lives; undefined where that cannot be seen from here. */
export function lives(
  owner: Owner,
  self: Owner = thisProcess(),
): boolean | undefined {
  if (owner.host !== self.host) return undefined;
  if (owner.pid === self.pid && owner.started === self.started) return true;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    // Another user's process lives as well.
    if ((error as { code?: string }).code === "ESRCH") return false;
  }
  const started = _startOf(owner.pid);
  if (started === undefined || owner.started === "") return true;
  return started === owner.started;
}

/** A new name for a container, good until its lease runs out. */
export function newName(now = Date.now()): string {
  return renewed(`mote-${randomBytes(8).toString("hex")}-`, now);
}

/** The same name with a lease that begins now. */
export function renewed(name: string, now = Date.now()): string {
  const until = Math.ceil((now + leaseMs) / 1_000);
  return `${name.slice(0, name.lastIndexOf("-") + 1)}${until.toString(36)}`;
}

/** Until when a name is good, in ms since 1970; undefined for names that are none of ours. */
export function leaseOf(name: string): number | undefined {
  const until = /^\/?mote-[0-9a-f]{16}-([0-9a-z]{1,9})$/.exec(name)?.[1];
  return until === undefined ? undefined : parseInt(until, 36) * 1_000;
}

/** Something of ours on an engine. */
export interface Held {
  /** The label that names its owner. */
  readonly owner: string | undefined;
  /** Its name. */
  readonly name: string;
  /** Whether something can still be running in it. */
  readonly running: boolean;
  /** When it was made, in ms since 1970. */
  readonly createdMs: number;
}

/** Whether nobody can need it any longer. */
export function isAbandoned(
  { owner: label, name, running, createdMs }: Held,
  now = Date.now(),
  alive: (owner: Owner) => boolean | undefined = lives,
): boolean {
  const owner = ownerOf(label);
  const until = leaseOf(name);
  // Labels are inherited from images, names are not.
  if (!owner || until === undefined) return false;
  const seen = alive(owner);
  if (seen !== undefined) return !seen;
  if (now > until) return true;
  return !running && now > createdMs + _stoppedMs &&
    now > until - leaseMs + renewalMs + _stoppedMs;
}
