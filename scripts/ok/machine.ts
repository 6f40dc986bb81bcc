/** A machine with a hypervisor: this one, or one that a program emulates. */
import { existsSync, readFileSync } from "node:fs";
import type { Run } from "./steps.ts";

/**
 * A program that runs a command on an emulated machine with a hypervisor:
 * `PROGRAM --smp N --timeout S --out DIR -- COMMAND [ARG…]`, with the variables that KVM_HOST_ENV names, over this machine's
 * files; only what is written below DIR stays. It ends as the command does, with 124 or 125 when the machine failed.
 */
const emulator = Deno.env.get("MOTE_KVM_HOST") ?? "";

const hasHypervisor = existsSync("/dev/kvm") &&
  / (svm|vmx) /.test(readFileSync("/proc/cpuinfo", "utf8"));

/** Why nothing can be tested that needs a hypervisor, if so. */
export const noMachine: string | undefined = hasHypervisor || emulator !== ""
  ? undefined
  : "this machine has no hypervisor, and MOTE_KVM_HOST names no program that emulates one";

/** Emulation takes its time: the most that a command may need, in s. */
const timeoutS = 900;

const machineFailed: readonly number[] = [124, 125];

/** An emulated machine is slow, which tests have to allow, and has no network. */
const emulated = {
  MOTE_EMULATED: "1",
  MOTE_OFFLINE: "1",
  PIP_RETRIES: "0",
  PIP_DEFAULT_TIMEOUT: "5",
};

/** What a command in the machine gets beside its arguments. */
export interface MachineOptions {
  /** Variables, as the machine starts with few. */
  env: Record<string, string>;
  /** The one folder in which what it writes stays. */
  out: string;
  /** Where it works. */
  cwd?: string;
}

/** Runs a command where micro-VMs run; resolves to its exit code. */
export async function runInMachine(
  run: Run,
  command: string,
  args: string[],
  { env, out, ...where }: MachineOptions,
): Promise<number> {
  if (hasHypervisor) return await run(command, args, { env, ...where });
  // One processor: an emulated one that is stopped while another waits for it hangs the whole machine now and then.
  const options = ["--smp", "1", "--timeout", String(timeoutS), "--out", out];
  const given = { ...env, ...emulated };
  const start = () =>
    run(emulator, [...options, "--", command, ...args], {
      ...where,
      env: { ...given, KVM_HOST_ENV: Object.keys(given).join(" ") },
    });
  const code = await start();
  // The emulation itself did not start, or hung: that says nothing of what was to run in it.
  return machineFailed.includes(code) ? await start() : code;
}
