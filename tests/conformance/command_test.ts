/** `lang: "wasm"`: the code is a WASI command module. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { createSession } from "@mote/sandbox";
import type { Session } from "@mote/sandbox";
import { emulated, ended, noHypervisor, refused } from "./targets.ts";

/** Modules of a few instructions, assembled. */
const modules = {
  /** Writes "hello" to stdout and exits with 3. */
  hello:
    "AGFzbQEAAAABEANgBH9/f38Bf2ABfwBgAAACRgIWd2FzaV9zbmFwc2hvdF9wcmV2aWV3MQhmZF93cml0ZQAAFndhc2lfc25hcHNob3RfcHJldmlldzEJcHJvY19leGl0AAEDAgECBQMBAAEHEwIGbWVtb3J5AgAGX3N0YXJ0AAIKFAESAEEBQQBBAUHkABAAGkEDEAELCxQBAEEACw4IAAAABgAAAGhlbGxvCg==",
  /** Never ends. */
  loop:
    "AGFzbQEAAAABBAFgAAADAgEABQMBAAEHEwIGbWVtb3J5AgAGX3N0YXJ0AAAKCgEIAANADAALAAs=",
  /** Executes `unreachable`. */
  trap: "AGFzbQEAAAABBAFgAAADAgEABQMBAAEHEwIGbWVtb3J5AgAGX3N0YXJ0AAAKBQEDAAAL",
  /** Writes its arguments to stdout, each with a NUL behind it. */
  args:
    "AGFzbQEAAAABEgNgAn9/AX9gBH9/f38Bf2AAAAJtAxZ3YXNpX3NuYXBzaG90X3ByZXZpZXcxDmFyZ3Nfc2l6ZXNfZ2V0AAAWd2FzaV9zbmFwc2hvdF9wcmV2aWV3MQhhcmdzX2dldAAAFndhc2lfc25hcHNob3RfcHJldmlldzEIZmRfd3JpdGUAAQMCAQIFAwEAAQcTAgZtZW1vcnkCAAZfc3RhcnQAAwoxAS8AQQBBBBAAGkGACEGAEBABGkEQQYAQNgIAQRRBBCgCADYCAEEBQRBBAUEYEAIaCw==",
};

const bytesOf = (name: keyof typeof modules): Uint8Array =>
  new Uint8Array(Buffer.from(modules[name], "base64"));

const walls = [
  { name: "wasm/wasm", options: { backend: "wasm" }, missing: undefined },
  {
    name: "hyperlight/wasm",
    options: {
      backend: "hyperlight",
      acceptEmulatedHypervisor: emulated,
      limits: { memoryMb: 64, workspaceMb: 16 },
    },
    missing: await noHypervisor(),
  },
] as const;

function command(
  name: string,
  body: (session: Session) => Promise<void>,
): void {
  for (const wall of walls) {
    if (!wall.name.startsWith(process.env.MOTE_CONFORMANCE ?? "")) continue;
    const title = `${wall.name}: ${name}`;
    if (wall.missing !== undefined) {
      const reason = wall.missing;
      test(`${title} (left out: ${reason})`, { skip: reason }, () => {});
      continue;
    }
    test(title, async () => {
      const session = await createSession({ ...wall.options, lang: "wasm" });
      try {
        await body(session);
        assert.equal((await session.run(bytesOf("hello"))).stdout, "hello\n");
      } finally {
        await session.close();
      }
    });
  }
}

command("prints and exits", async (session) => {
  const result = await session.run(bytesOf("hello"));
  assert.equal(result.stdout, "hello\n");
  assert.equal(result.exitCode, 3);
  assert.equal(result.receipt.lang, "wasm");
  assert.equal(result.receipt.imageSha256, undefined);
});

command("a module from a file", async (session) => {
  const dir = await mkdtemp(join(tmpdir(), "mote-command-"));
  try {
    await writeFile(join(dir, "hello.wasm"), bytesOf("hello"));
    const { exitCode } = await session.run(
      pathToFileURL(join(dir, "hello.wasm")),
    );
    assert.equal(exitCode, 3);
  } finally {
    await rm(dir, { recursive: true });
  }
});

command("arguments follow the program's name", async (session) => {
  const { stdout } = await session.run(bytesOf("args"), {
    args: ["one", "zwö 🦀", ""],
  });
  assert.deepEqual(stdout.split("\0").slice(1), ["one", "zwö 🦀", "", ""]);
});

command("wall time ends it", async (session) => {
  await ended(session.run(bytesOf("loop"), { timeoutMs: 100 }), "TIMED_OUT");
});

command("a trap is GUEST_CRASHED", async (session) => {
  await ended(session.run(bytesOf("trap")), "GUEST_CRASHED");
});

command("bytes that are no module", async (session) => {
  for (const bytes of ["", "not wasm", "\0asm", "\0asm\x01\0\0\0garbage"]) {
    await refused(
      session.run(new TextEncoder().encode(bytes)),
      "GUEST_INVALID",
    );
  }
});

command(
  "a module that is cut or has bytes flipped never harms",
  async (session) => {
    const whole = bytesOf("hello");
    for (let at = 8; at < whole.length; at++) {
      const broken = at % 2
        ? whole.slice(0, at)
        : whole.with(at, whole[at]! ^ 0xff);
      const run = session.run(broken, { timeoutMs: 1_000 });
      await run.catch((error) => {
        assert.notEqual(error.code ?? error, "INTERNAL", error.message);
      });
    }
  },
);
