import { createHash, randomUUID } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import process from "node:process";

let _host: string | undefined;

/** The machine since it booted, with the process namespace; one of its own for each process where there is no telling. */
function _hostKey(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8");
    const namespace = readlinkSync("/proc/self/ns/pid");
    const hash = createHash("sha256").update(`${boot}${namespace}`);
    return hash.digest("hex").slice(0, 16);
  } catch {
    return randomUUID();
  }
}

/** When a process began, in the kernel's clock ticks; undefined when it is gone. */
function _startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

/** This process, in a form that another one can look for: host, process and start. */
export function thisOwner(): string {
  _host ??= _hostKey();
  return `${_host}/${process.pid}/${_startOf(process.pid) ?? ""}`;
}

/** Whether an owner is known to be gone; one of another host never is. */
export function ownerIsGone(owner: string): boolean {
  const [host, pid, start] = owner.split("/");
  _host ??= _hostKey();
  if (host !== _host || !start || !/^\d+$/.test(pid ?? "")) return false;
  return _startOf(Number(pid)) !== start;
}
