/** A machine whose /dev/kvm is real: this one, or the lab's, which emulates one. */
import { existsSync, readFileSync } from "node:fs";
import { root } from "../cargo.ts";
import type { Run } from "./steps.ts";

/** MOTE_LAB: where the lab is, for a checkout that is not beside it. */
const lab = `${Deno.env.get("MOTE_LAB") ?? `${root}/../shared/lab`}/kvm-host`;

/** Emulation takes its time: the most that a command may need, in s. */
const timeoutS = 1_800;

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
  if (/ (svm|vmx) /.test(readFileSync("/proc/cpuinfo", "utf8"))) {
    return await run(command, args, { env, ...where });
  }
  if (!existsSync(lab)) {
    throw new Error(
      `Cannot test micro-VMs: this machine has no hypervisor, and there is no ${lab}`,
    );
  }
  const options = ["--timeout", String(timeoutS), "--out", out, "--"];
  return await run(lab, [...options, command, ...args], {
    ...where,
    env: { ...env, KVM_HOST_ENV: Object.keys(env).join(" ") },
  });
}
