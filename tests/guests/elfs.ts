/** The guests of these tests: what real_test.ts has left in the folder that MOTE_TEST_GUESTS names. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const crates = { template: "template", hostile: "hostile-elf" } as const;

/** Which guest. */
export type ElfName = keyof typeof crates;

/** Where the crate of a guest is. */
export const crateOf = (name: ElfName): string =>
  fileURLToPath(new URL(`../../guests/${crates[name]}`, import.meta.url));

/** Where the ELF of a guest is. */
export function elfOf(name: ElfName | "plain" | "counting"): string {
  const dir = process.env.MOTE_TEST_GUESTS;
  if (dir) return join(dir, `${name}.elf`);
  throw new Error("Set MOTE_TEST_GUESTS to the folder that real_test.ts made");
}

/** The same guest, but for its first instruction, which jumps to itself. */
export function endlessElf(): Uint8Array {
  const elf = readFileSync(elfOf("template"));
  const entry = elf.readBigUInt64LE(24);
  const headers = Number(elf.readBigUInt64LE(32));
  for (let n = 0; n < elf.readUInt16LE(56); n++) {
    const at = headers + n * elf.readUInt16LE(54);
    const [offset, address, , bytes] = [8, 16, 24, 32].map((field) =>
      elf.readBigUInt64LE(at + field)
    ) as [bigint, bigint, bigint, bigint];
    const isLoaded = elf.readUInt32LE(at) === 1;
    if (isLoaded && entry >= address && entry < address + bytes) {
      elf.set([0xeb, 0xfe], Number(entry - address + offset));
      return elf;
    }
  }
  throw new Error("the guest has no code at its entry");
}

/** Whether this machine can run micro-VMs, however slowly. */
export function hasMachines(): boolean {
  // What a virtual processor says of itself: the build machine's own /dev/kvm is there and runs nothing.
  return process.platform === "linux" &&
    / svm | vmx /.test(readFileSync("/proc/cpuinfo", "utf8"));
}
