/** Tools for tests that only say what the real ones would, and a crate for them to build. */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

/** A folder that is removed when the test has ended. */
export interface Fakes {
  /** The folder. */
  readonly dir: string;
  /** Where the tools are. */
  readonly bin: string;
  /** The crate. */
  readonly crate: string;
  /** The cache. */
  readonly cacheDir: string;
  /** An environment in which only the fakes and the system's shell are found. */
  readonly env: Record<string, string>;
  /** Puts a tool there. */
  tool(name: string, script: string): void;
  /** Writes the program of the crate; `fail`, `slow` and `old` in it do what they say. */
  program(text: string): void;
  /** How often something was compiled. */
  builds(): number;
  /** Removes all of it. */
  remove(): void;
}

/** A guest's ELF with a note of a version, as small as can be read. */
export function fakeElf(version: string | undefined, abi?: number): Uint8Array {
  const notes: Uint8Array[] = [];
  if (version !== undefined) {
    notes.push(_note("Hyperlight", new TextEncoder().encode(`${version}\0`)));
  }
  if (abi !== undefined) {
    notes.push(
      _note("Mote", new Uint8Array(Uint32Array.of(abi, 1_024).buffer)),
    );
  }
  const length = notes.reduce((sum, note) => sum + note.length, 0);
  const bytes = new Uint8Array(120 + length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x7f454c46);
  view.setUint8(4, 2);
  view.setUint8(5, 1);
  view.setUint16(18, 62, true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint32(64, 4, true);
  view.setBigUint64(72, 120n, true);
  view.setBigUint64(96, BigInt(length), true);
  view.setBigUint64(112, 4n, true);
  let at = 120;
  for (const note of notes) {
    bytes.set(note, at);
    at += note.length;
  }
  return bytes;
}

function _note(name: string, value: Uint8Array): Uint8Array {
  const padded = (length: number) => Math.ceil(length / 4) * 4;
  const start = padded(12 + name.length + 1);
  const note = new Uint8Array(start + padded(value.length));
  const view = new DataView(note.buffer);
  view.setUint32(0, name.length + 1, true);
  view.setUint32(4, value.length, true);
  view.setUint32(8, 1, true);
  note.set(new TextEncoder().encode(name), 12);
  note.set(value, start);
  return note;
}

const _rustc = (dir: string) =>
  `case "$1" in
-vV) echo "rustc 1.96.0 (fake)"; echo "host: fake-host"; echo "release: 1.96.0";;
--print) echo "${dir}/sysroot";;
esac`;

const _cargo = `case "$1" in
--version) echo "cargo 1.96.0 (fake)";;
metadata)
  [ -e Cargo.lock ] || echo made > Cargo.lock
  printf '{"packages":[{"id":"hello","name":"hello","source":null,"manifest_path":"%s/Cargo.toml","default_run":null,"targets":[{"name":"hello","kind":["bin"]}]}],"workspace_root":"%s"}\\n' "$PWD" "$PWD";;
esac`;

/** Its arguments are those of the real one; what it does is in the crate's program. */
const _cargoHyperlight = (dir: string) =>
  `case "$2" in
--version) echo "cargo-hyperlight 0.1.14 (fake)"; exit;;
esac
echo build >> "${dir}/builds"
echo "$PATH" > "${dir}/path"
while [ $# -gt 0 ]; do case "$1" in --target-dir) target=$2;; esac; shift; done
echo "   Compiling hello v0.1.0" >&2
case "$(cat src/main.rs)" in
*fail*) echo "error[E0425]: cannot find value nothing in this scope" >&2; exit 101;;
*slow*) sleep 600 & echo $! > "${dir}/sleeper"; wait;;
*pause*) sleep 1;;
esac
mkdir -p "$target"
case "$(cat src/main.rs)" in
*old*) cp "${dir}/old.elf" "$target/hello";;
*) cp "${dir}/good.elf" "$target/hello";;
esac
echo '{"reason":"compiler-artifact","package_id":"hello","target":{"name":"hello"},"executable":"'"$target"'/hello"}'`;

/** Lays out tools, a crate and a cache. */
export function layFakes(): Fakes {
  const dir = mkdtempSync(join(tmpdir(), "mote-guests-"));
  const [bin, crate, cacheDir] = ["bin", "crate", "cache"].map((name) =>
    join(dir, name)
  ) as [string, string, string];
  mkdirSync(bin);
  mkdirSync(join(crate, "src"), { recursive: true });
  mkdirSync(join(dir, "sysroot/lib/rustlib/src/rust/library/core/src"), {
    recursive: true,
  });
  writeFileSync(
    join(dir, "sysroot/lib/rustlib/src/rust/library/core/src/lib.rs"),
    "",
  );
  const fakes: Fakes = {
    dir,
    bin,
    crate,
    cacheDir,
    env: { PATH: `${bin}:/usr/bin:/bin`, HOME: dir },
    tool(name, script) {
      writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(bin, name), 0o755);
    },
    program: (text) => writeFileSync(join(crate, "src/main.rs"), text),
    builds() {
      try {
        return readFileSync(join(dir, "builds"), "utf8").split("\n").length - 1;
      } catch {
        return 0;
      }
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
  fakes.tool("rustc", _rustc(dir));
  fakes.tool("cargo", _cargo);
  fakes.tool("clang", 'echo "fake clang version 19.1.7"');
  fakes.tool("rust-lld", 'echo "fake LLD 19.1.7"');
  fakes.tool("cargo-hyperlight", _cargoHyperlight(dir));
  writeFileSync(join(crate, "Cargo.toml"), "[package]");
  writeFileSync(join(dir, "good.elf"), fakeElf("0.18.0", 1));
  writeFileSync(join(dir, "old.elf"), fakeElf("0.17.0", 1));
  fakes.program("fn main() {}");
  return fakes;
}

/** Whether a process is there. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
