/** A machine whose /dev/kvm is real: this one, or the lab's, which emulates one. */
import { existsSync, readFileSync } from "node:fs";
import { root } from "../cargo.ts";
import type { Run } from "./steps.ts";

/** MOTE_LAB: where the lab is, for a checkout that is not beside it. */
const lab = `${Deno.env.get("MOTE_LAB") ?? `${root}/../shared/lab`}/kvm-host`;

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
  if (/ (svm|vmx) /.test(readFileSync("/proc/cpuinfo", "utf8"))) {
    return await run(command, args, { env, ...where });
  }
  if (!existsSync(lab)) {
    throw new Error(
      `Cannot test micro-VMs: this machine has no hypervisor, and there is no ${lab}`,
    );
  }
  // One processor: an emulated one that is stopped while another waits for it hangs the whole machine now and then.
  const options = ["--smp", "1", "--timeout", String(timeoutS), "--out", out];
  const given = { ...env, ...emulated };
  const start = () =>
    run(lab, [...options, "--", command, ...args], {
      ...where,
      env: { ...given, KVM_HOST_ENV: Object.keys(given).join(" ") },
    });
  const code = await start();
  // The emulation itself did not start, or hung: that says nothing of what was to run in it.
  return machineFailed.includes(code) ? await start() : code;
}
