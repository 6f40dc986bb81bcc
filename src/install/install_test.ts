import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { memoryBackend } from "../backends/memory.ts";
import { SandboxError } from "../errors.ts";
import { parseSessionOptions } from "../options.ts";
import type { InstalledLibrary } from "../result.ts";
import {
  type InstallContext,
  installPackages,
  type PreparedPackages,
} from "./install.ts";
import type { Wheel } from "./pip.ts";
import { pureTarget } from "./python_target.ts";
import { PackageStore } from "./store.ts";

const wheel = (name: string, version: string, pure: boolean): Wheel => ({
  name,
  version,
  sha256: `${name.length}${pure ? 0 : 1}`.padEnd(64, version.at(-1)),
  pure,
});

const native = wheel("Native_One", "1.0", false);
const helper = wheel("helper", "2.1", true);
const kept: InstalledLibrary = { name: "kept", version: "3", sha256: "3" };
const replaced: InstalledLibrary = {
  name: "helper",
  version: "2.0",
  sha256: "20",
};

/** A cache in which `Native_One` is resolved, and lies unpacked beside `kept`. */
async function withContext(
  body: (context: InstallContext) => Promise<void>,
): Promise<void> {
  const cacheDir = await mkdtemp(join(tmpdir(), "mote-install-"));
  try {
    const store = new PackageStore(cacheDir);
    await store.keepLock(["native-one"], [native, helper]);
    const all = [{ ...kept, sha256: kept.sha256!, pure: true }, native, helper];
    await store.tree(all, async (target) => {
      await mkdir(target);
      await writeFile(join(target, "native.so"), "code");
    });
    const { limits, lang } = parseSessionOptions({});
    const wall = await memoryBackend.open({
      lang,
      image: null,
      cacheDir,
      interactive: false,
      env: {},
      tools: [],
      limits,
    });
    await body({
      cacheDir,
      files: wall.files("site-packages"),
      installed: [kept, replaced],
      target: pureTarget,
      signal: undefined,
      onProgress: () => {},
    });
  } finally {
    await rm(cacheDir, { recursive: true });
  }
}

test("native code goes over with what is there, but for what it replaces", () =>
  withContext(async (context) => {
    let prepared: PreparedPackages | undefined;
    const goOver = (packages: PreparedPackages) => {
      prepared = packages;
      return Promise.resolve();
    };
    const installed = await installPackages(["native-one"], {
      ...context,
      goOver,
    });
    const { name: _, pure: __, ...rest } = native;
    assert.deepEqual(installed[0], {
      name: "native-one",
      ...rest,
      native: true,
    });
    assert.deepEqual(installed.map(({ name }) => name), [
      "native-one",
      "helper",
    ]);
    assert.deepEqual(prepared?.native, ["native-one"]);
    assert.deepEqual(
      prepared?.libraries.map(({ name, version }) => `${name} ${version}`),
      ["kept 3", "native-one 1.0", "helper 2.1"],
    );
    assert.deepEqual(await context.files.list("", true), []);
  }));

test("native code is refused where there is nowhere to go", () =>
  withContext(async (context) => {
    const error = await installPackages(["native-one"], context)
      .then(() => undefined, (error) => error);
    assert.ok(error instanceof SandboxError);
    assert.equal(error.code, "INSTALL_FAILED");
    assert.match(error.message, /^Cannot install native-one: .+linux/);
  }));
