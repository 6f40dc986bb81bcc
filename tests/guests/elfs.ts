/** The guests of these tests: built by the toolkit, or taken from the folder that MOTE_TEST_GUESTS names. */
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { cacheDir } from "../../src/cache.ts";
import { loadHost } from "../../src/host.ts";
import { findOwnGuest } from "../../src/guests/own.ts";

const crates = { template: "template", hostile: "hostile-elf" } as const;

/** Which guest. */
export type ElfName = keyof typeof crates;

/** Where the crate of a guest is. */
export const crateOf = (name: ElfName): string =>
  fileURLToPath(new URL(`../../guests/${crates[name]}`, import.meta.url));

/** Where the ELF of a guest is. */
export async function elfOf(name: ElfName): Promise<string> {
  const made = process.env.MOTE_TEST_GUESTS;
  if (made) return join(made, `${name}.elf`);
  const cache = cacheDir(await loadHost());
  return (await findOwnGuest(crateOf(name), { cacheDir: cache })).path;
}

/** Whether this machine can run micro-VMs, however slowly. */
export function hasMachines(): boolean {
  // What a virtual processor says of itself: the build machine's own /dev/kvm is there and runs nothing.
  return process.platform === "linux" &&
    / svm | vmx /.test(readFileSync("/proc/cpuinfo", "utf8"));
}

/** A folder for what a test makes. */
export const scratch = join(tmpdir(), "mote-test-guests");
