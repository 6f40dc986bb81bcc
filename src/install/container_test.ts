import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { FileStore, RunRequest, Wall } from "../backends/backend.ts";
import type { FileEntry } from "../result.ts";
import { type ContainerInstall, installInContainer } from "./container.ts";

/** A folder of a container, with no more of one. */
class Folder implements FileStore {
  readonly nodes = new Map<string, FileEntry & { bytes: Uint8Array }>();
  readonly parallel = 4;

  put(path: string, text: string, mode = 0o644): this {
    const bytes = new TextEncoder().encode(text);
    const size = bytes.byteLength;
    const kind = "file";
    this.nodes.set(path, { path, kind, size, mode, mtimeMs: 0, bytes });
    return this;
  }

  // deno-lint-ignore require-await
  async write(
    path: string,
    bytes: Uint8Array,
    { mode }: { mode?: number | undefined },
  ): Promise<void> {
    this.put(path, new TextDecoder().decode(bytes), mode);
  }

  // deno-lint-ignore require-await
  async read(path: string, offset: number, length: number) {
    const node = this.nodes.get(path);
    if (!node) throw new Error("there is none");
    const bytes = node.bytes.subarray(offset, offset + length);
    return { bytes, eof: offset + length >= node.bytes.byteLength };
  }

  // deno-lint-ignore require-await
  async list(_: string, recursive: boolean): Promise<FileEntry[]> {
    return [...this.nodes.values()].filter(({ path }) =>
      recursive || !path.includes("/")
    );
  }

  // deno-lint-ignore require-await
  async stat(path: string): Promise<FileEntry | undefined> {
    return this.nodes.get(path);
  }

  // deno-lint-ignore require-await
  async mkdir(path: string): Promise<void> {
    const kind = "directory";
    const bytes = new Uint8Array(0);
    this.nodes.set(path, {
      path,
      kind,
      size: 0,
      mode: 0o755,
      mtimeMs: 0,
      bytes,
    });
  }

  // deno-lint-ignore require-await
  async symlink(path: string, target: string): Promise<void> {
    const kind = "symlink";
    const bytes = new Uint8Array(0);
    const node = {
      path,
      kind,
      size: 0,
      mode: 0o777,
      mtimeMs: 0,
      bytes,
    } as const;
    this.nodes.set(path, { ...node, target });
  }

  // deno-lint-ignore require-await
  async remove(path: string): Promise<void> {
    for (const one of [...this.nodes.keys()]) {
      if (one === path || one.startsWith(`${path}/`)) this.nodes.delete(one);
    }
  }
}

interface Made {
  exitCode?: number;
  says?: string;
  installed?: string;
  tree?: (folder: Folder) => unknown;
}

/** Installs with a client that does what it is told. */
class Bench {
  readonly cacheDir = mkdtempSync(join(tmpdir(), "mote-install-"));
  readonly session = new Folder();
  readonly runs: RunRequest[] = [];
  closed = 0;

  context(made: Made, more: Partial<ContainerInstall> = {}): ContainerInstall {
    return {
      installer: "npm",
      image: "image",
      cacheDir: this.cacheDir,
      files: this.session,
      asked: [],
      signal: undefined,
      onProgress: () => {},
      open: () => Promise.resolve(this.#box(made)),
      ...more,
    };
  }

  #box({ exitCode = 0, says = "", installed, tree }: Made): Wall {
    const folders = { sandbox: new Folder(), "site-packages": new Folder() };
    return {
      run: async (request) => {
        this.runs.push(request);
        await request.onOutput?.("stderr", new TextEncoder().encode(says));
        if (installed !== undefined) {
          folders.sandbox.put("installed", installed);
        }
        tree?.(folders["site-packages"]);
        return {
          exitCode,
          stdout: new Uint8Array(0),
          stderr: new Uint8Array(0),
          timings: { queuedMs: 0, startMs: 0, runMs: 0, totalMs: 0 },
        };
      },
      files: (root) => folders[root],
      // deno-lint-ignore require-await
      close: async () => void this.closed++,
    };
  }
}

async function withBench(body: (bench: Bench) => Promise<void>): Promise<void> {
  const bench = new Bench();
  try {
    await body(bench);
    assert.equal(bench.closed, bench.runs.length, "a box was left");
  } finally {
    rmSync(bench.cacheDir, { recursive: true, force: true });
  }
}

const good: Made = {
  installed: "a\t1.0\t\tsha512-xyz=\nb\t2.0\t" + "0".repeat(64) + "\n",
  tree: (folder) => {
    folder.mkdir("node_modules");
    folder.put("node_modules/a.js", "a").put("node_modules/run", "#!", 0o755);
    folder.symlink("node_modules/link", "/usr/lib/x.so");
  },
};

test("what was installed takes the place of what was there", () =>
  withBench(async (bench) => {
    bench.session.put("old.js", "old");
    const { libraries, asked } = await installInContainer(
      ["a", "b@2"],
      bench.context(good, { asked: ["b@1"] }),
    );
    assert.deepEqual(bench.runs[0]!.args, ["b@2", "a"]);
    assert.deepEqual(asked, ["b@2", "a"]);
    assert.deepEqual(libraries, [
      { name: "a", version: "1.0", integrity: "sha512-xyz=" },
      { name: "b", version: "2.0", sha256: "0".repeat(64) },
    ]);
    const { nodes } = bench.session;
    assert.equal(nodes.has("old.js"), false);
    assert.equal(nodes.get("node_modules/run")!.mode, 0o755);
    assert.equal(nodes.get("node_modules/link")!.target, "/usr/lib/x.so");
  }));

test("it is kept, by image and names, and made again when it was damaged", () =>
  withBench(async (bench) => {
    const again = (more?: Partial<ContainerInstall>) =>
      installInContainer(["a"], bench.context(good, more));
    await again();
    await again();
    assert.equal(bench.runs.length, 1);
    await again({ image: "another" });
    assert.equal(bench.runs.length, 2);
    const dir = join(bench.cacheDir, "containers");
    for (const tree of readdirSync(dir)) {
      for (const file of readdirSync(join(dir, tree))) {
        if (file.endsWith(".bin")) writeFileSync(join(dir, tree, file), "bad");
      }
    }
    await again();
    assert.equal(bench.runs.length, 3);
    assert.equal(
      new TextDecoder().decode(
        bench.session.nodes.get("node_modules/a.js")!.bytes,
      ),
      "a",
    );
    assert.ok(!readdirSync(dir).some((name) => name.includes(".part")));
  }));

test("a client that fails says why, and one that is missing says that", () =>
  withBench(async (bench) => {
    const fails = {
      exitCode: 1,
      says:
        "npm error code E404\nnpm error 404 Not Found: \x1b[31mb\x1b[0m\nnpm error A complete log is elsewhere\n",
    };
    await assert.rejects(installInContainer(["b"], bench.context(fails)), {
      code: "INSTALL_FAILED",
      message: /npm ended with 1: npm error 404 Not Found: b\. /,
    });
    const missing = { exitCode: 64, says: "the image has no npm\n" };
    await assert.rejects(installInContainer(["b"], bench.context(missing)), {
      code: "TOOLCHAIN_MISSING",
      message: /: the image has no npm\. Use an image that has it\.$/,
    });
  }));

test("a list that no client writes is refused", () =>
  withBench(async (bench) => {
    for (
      const installed of [
        undefined,
        "no tabs\n",
        "a\t1\tnot-a-hash\n",
        "a\x1b[2J\t1\n",
        `${"x".repeat(400)}\t1\n`,
        "a\t1\n".repeat(30_000),
        "a".repeat(2_000_000),
      ]
    ) {
      const made = { ...good, ...(installed && { installed }) };
      if (installed === undefined) delete made.installed;
      await assert.rejects(
        installInContainer(["a"], bench.context(made)),
        { code: "INSTALL_FAILED", message: /the list of what was installed/ },
      );
    }
    const dir = join(bench.cacheDir, "containers");
    assert.throws(() => readdirSync(dir), /ENOENT/);
  }));

test("no path of a tree is one of the host", () =>
  withBench(async (bench) => {
    const made = {
      installed: "a\t1\n",
      tree: (folder: Folder) => folder.put("../../../escaped", "x"),
    };
    await installInContainer(["a"], bench.context(made));
    assert.ok(bench.session.nodes.has("../../../escaped"));
    const files = readdirSync(join(bench.cacheDir, "containers"), {
      recursive: true,
      encoding: "utf8",
    });
    assert.deepEqual(
      files.filter((name) => name.includes("/")).map((name) =>
        name.split("/")[1]
      ).sort(),
      ["0.bin", "manifest.json"],
    );
  }));

test("an aborted installation leaves no box", () =>
  withBench(async (bench) => {
    const control = new AbortController();
    const made = { ...good, tree: () => control.abort() };
    await assert.rejects(
      installInContainer(
        ["a"],
        bench.context(made, { signal: control.signal }),
      ),
      { code: "ABORTED" },
    );
  }));
