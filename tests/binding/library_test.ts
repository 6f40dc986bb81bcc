/** What happens when the native library is not where it should be. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { withFolder } from "../process/programs.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

const program = `
import { createSession, SandboxError } from "./mod.ts";
try {
  await createSession({ backend: "wasm" });
  console.log("opened");
} catch (error) {
  console.log(error instanceof SandboxError, error.code, error.message);
}
`;

/** What a copy of the sources, without anything built, prints. */
function runCopy(dir: string, env: Record<string, string>): string {
  for (
    const name of [
      "mod.ts",
      "testing.ts",
      "deno.json",
      "src",
      "ffi",
      "guests/images",
    ]
  ) {
    if (existsSync(join(root, name))) {
      cpSync(join(root, name), join(dir, name), { recursive: true });
    }
  }
  writeFileSync(join(dir, "program.ts"), program);
  return execFileSync(
    Deno.execPath(),
    ["run", "-A", "--quiet", "--no-lock", join(dir, "program.ts")],
    {
      cwd: dir,
      env: { ...Deno.env.toObject(), NO_COLOR: "1", MOTE_LIBRARY: "", ...env },
      encoding: "utf8",
    },
  );
}

test("no library anywhere: the error lists where it looked and what to do", () =>
  withFolder((dir) => {
    const said = runCopy(dir, {});
    assert.match(
      said,
      /^true BACKEND_UNAVAILABLE Cannot load the native library: /,
    );
    assert.ok(said.includes(join(dir, "target/release/libmote")), said);
    assert.match(said, /@mote\/sandbox-linux-\w+-gnu/);
    assert.match(said, /deno task build/);
    assert.match(said, /MOTE_LIBRARY/);
    return Promise.resolve();
  }));

test("MOTE_LIBRARY that points nowhere", () =>
  withFolder((dir) => {
    const said = runCopy(dir, { MOTE_LIBRARY: "/nowhere/libmote.so" });
    assert.match(
      said,
      /^true BACKEND_UNAVAILABLE .*MOTE_LIBRARY is \/nowhere\/libmote\.so/,
    );
    return Promise.resolve();
  }));

for (
  const [what, content] of [
    ["text", "not a library"],
    ["nothing", ""],
    ["the head of a library", "\x7fELF\x02\x01\x01"],
  ] as const
) {
  test(`MOTE_LIBRARY that holds ${what}`, () =>
    withFolder((dir) => {
      const path = join(dir, "libother.so");
      writeFileSync(path, content);
      const said = runCopy(dir, { MOTE_LIBRARY: path });
      assert.match(
        said,
        /^true BACKEND_UNAVAILABLE Cannot load the native library: /,
      );
      assert.ok(said.includes(path), said);
      return Promise.resolve();
    }));
}

test("importing the package loads no library, reads no variable and touches no file", () =>
  withFolder((dir) => {
    runCopy(dir, {});
    writeFileSync(
      join(dir, "imports.ts"),
      `import "./mod.ts";\nconsole.log("imported");\n`,
    );
    const said = execFileSync(
      Deno.execPath(),
      // No permission at all: anything that the import does beyond evaluating modules fails.
      ["run", "--no-prompt", "--quiet", "--no-lock", join(dir, "imports.ts")],
      { cwd: dir, encoding: "utf8" },
    );
    assert.equal(said, "imported\n");
    return Promise.resolve();
  }));
