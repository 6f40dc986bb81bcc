import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Fakes, layFakes } from "../../tests/guests/fake_tools.ts";
import { findToolchain } from "./toolchain.ts";

async function withFakes(body: (fakes: Fakes) => Promise<void>): Promise<void> {
  const fakes = layFakes();
  try {
    await body(fakes);
  } finally {
    fakes.remove();
  }
}

/** Only what is in the folder of fakes is found. */
const alone = ({ bin, dir }: Fakes) => ({
  env: { PATH: bin, HOME: dir },
  cwd: dir,
});

async function missing(fakes: Fakes): Promise<string> {
  try {
    await findToolchain(alone(fakes));
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    assert.equal(code, "TOOLCHAIN_MISSING", message);
    assert.match(message, /^Cannot build a guest: .+\. .+\.$/s);
    return message;
  }
  assert.fail("nothing was missing");
}

test("a whole toolchain is found", () =>
  withFakes(async (fakes) => {
    const { rustc, cargo, clang, lld, ar } = await findToolchain(alone(fakes));
    assert.equal(rustc.path, join(fakes.bin, "rustc"));
    assert.match(cargo.version, /1\.96\.0/);
    assert.match(clang.version, /19/);
    assert.match(lld.version, /LLD/);
    assert.equal(ar, undefined);
  }));

test("versioned names are found", () =>
  withFakes(async (fakes) => {
    rmSync(join(fakes.bin, "clang"));
    rmSync(join(fakes.bin, "rust-lld"));
    fakes.tool("clang-18", 'echo "Debian clang version 18.1.8"');
    fakes.tool("ld.lld-19", 'echo "Debian LLD 19.1.7"');
    fakes.tool("llvm-ar-19", "exit 0");
    const { clang, lld, ar } = await findToolchain(alone(fakes));
    assert.equal(clang.path, join(fakes.bin, "clang-18"));
    assert.equal(lld.path, join(fakes.bin, "ld.lld-19"));
    assert.equal(ar, join(fakes.bin, "llvm-ar-19"));
  }));

test("an old clang is passed over for a newer one", () =>
  withFakes(async (fakes) => {
    fakes.tool("clang", 'echo "clang version 14.0.6"');
    fakes.tool("clang-19", 'echo "clang version 19.1.7"');
    const { clang } = await findToolchain(alone(fakes));
    assert.equal(clang.path, join(fakes.bin, "clang-19"));
  }));

const pieces: readonly [string, (fakes: Fakes) => void, RegExp][] = [
  [
    "no rustc",
    ({ bin }) => rmSync(join(bin, "rustc")),
    /no rustc on the PATH.+rustup.+rustc-web/,
  ],
  [
    "an old rustc",
    (fakes) =>
      fakes.tool(
        "rustc",
        `case "$1" in -vV) echo "rustc 1.88.0"; echo "host: h"; echo "release: 1.88.0";; *) echo ${fakes.dir};; esac`,
      ),
    /1\.88\.0.+older than 1\.89.+rustup update/,
  ],
  [
    "no sources",
    ({ dir }) => rmSync(join(dir, "sysroot"), { recursive: true }),
    /no sources of its standard library.+rustup component add rust-src/,
  ],
  ["no cargo", ({ bin }) => rmSync(join(bin, "cargo")), /no cargo beside/],
  [
    "no clang",
    ({ bin }) => rmSync(join(bin, "clang")),
    /no clang 18 or newer on the PATH.+apt-get install clang-19/,
  ],
  [
    "an old clang",
    (fakes) => fakes.tool("clang", 'echo "clang version 14.0.6"'),
    /clang version 14\.0\.6 at .+ is older than 18/,
  ],
  [
    "no lld",
    ({ bin }) => rmSync(join(bin, "rust-lld")),
    /no lld on the PATH.+apt-get install lld-19/,
  ],
];

for (const [name, take, says] of pieces) {
  test(`${name} is TOOLCHAIN_MISSING, with the cure`, () =>
    withFakes(async (fakes) => {
      take(fakes);
      assert.match(await missing(fakes), says);
    }));
}

test("all that is missing is named at once", () =>
  withFakes(async (fakes) => {
    for (const name of ["rustc", "clang", "rust-lld"]) {
      rmSync(join(fakes.bin, name));
    }
    assert.match(await missing(fakes), /rustc.+clang.+lld/);
  }));

test("of two compilers the one that can build a guest is taken", () =>
  withFakes(async (fakes) => {
    const other = layFakes();
    try {
      other.tool("rustc", 'echo "rustc 1.70.0"; echo "release: 1.70.0"');
      const env = { PATH: `${other.bin}:${fakes.bin}`, HOME: fakes.dir };
      const { rustc } = await findToolchain({ env, cwd: fakes.dir });
      assert.equal(rustc.path, join(fakes.bin, "rustc"));
    } finally {
      other.remove();
    }
  }));
