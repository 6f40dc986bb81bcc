import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { FileStore } from "../backends/backend.ts";
import { fileStore, MemoryTree } from "../backends/memory/tree.ts";
import type { FileEntry } from "../result.ts";
import { copyIn } from "./copy_in.ts";
import { copyOut } from "./copy_out.ts";

const mib = 1_048_576;

async function withDir(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "mote-copy-"));
  try {
    await work(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function store(bytes = 8 * mib, files = 100): [MemoryTree, FileStore] {
  const tree = new MemoryTree(bytes, files);
  return [tree, fileStore(tree, () => {})];
}

const paths = (tree: MemoryTree) =>
  tree.list(".", true).map(({ path }) => path);

test("what is no file, directory or link is refused, before anything is copied", () =>
  withDir(async (dir) => {
    const [tree, files] = store();
    mkdirSync(join(dir, "in"));
    writeFileSync(join(dir, "in/a"), "a");
    execFileSync("mkfifo", [join(dir, "in/pipe")]);
    const code = "PATH_REFUSED";
    await assert.rejects(copyIn(files, join(dir, "in"), "x"), { code });
    await assert.rejects(copyIn(files, join(dir, "in/pipe"), "x"), { code });
    assert.deepEqual(paths(tree), []);
  }));

test("links into the copied directory are kept, absolute ones become relative", () =>
  withDir(async (dir) => {
    const [tree, files] = store();
    mkdirSync(join(dir, "in/sub"), { recursive: true });
    writeFileSync(join(dir, "in/a"), "a");
    symlinkSync(join(dir, "in/a"), join(dir, "in/sub/l"));
    await copyIn(files, join(dir, "in"), "x");
    await copyIn(files, join(dir, "in"), "x");
    assert.equal(tree.find("x/sub/l", false)?.target, "../a");
  }));

test("a link given as the source is followed", () =>
  withDir(async (dir) => {
    const [tree, files] = store();
    writeFileSync(join(dir, "real"), "real");
    symlinkSync("real", join(dir, "link"));
    await copyIn(files, join(dir, "link"), "x/");
    assert.equal(new TextDecoder().decode(tree.read("x/link")), "real");
  }));

test("half a file is not left behind", () =>
  withDir(async (dir) => {
    const [tree, files] = store(2 * mib);
    writeFileSync(join(dir, "big"), new Uint8Array(3 * mib));
    const copy = copyIn(files, join(dir, "big"), "d/big");
    await assert.rejects(copy, { code: "DISK_EXCEEDED" });
    assert.deepEqual(paths(tree), ["d"]);
  }));

test("times are kept both ways", () =>
  withDir(async (dir) => {
    const [, files] = store();
    writeFileSync(join(dir, "a"), "a");
    utimesSync(join(dir, "a"), 1_000, 1_000_000_000);
    await copyIn(files, join(dir, "a"), "a");
    await copyOut(files, "a", join(dir, "b"));
    assert.equal(statSync(join(dir, "b")).mtimeMs, 1_000_000_000_000);
  }));

test("a file goes into a directory that is there, or to a new name", () =>
  withDir(async (dir) => {
    const [tree, files] = store();
    tree.write("f", new Uint8Array(1), { offset: null });
    mkdirSync(join(dir, "there"));
    await copyOut(files, "f", join(dir, "there"));
    await copyOut(files, "f", join(dir, "new/dir/g"));
    assert.ok(existsSync(join(dir, "there/f")));
    assert.ok(existsSync(join(dir, "new/dir/g")));
  }));

test("a link in the way on the host is replaced, a directory is not", () =>
  withDir(async (dir) => {
    const [tree, files] = store();
    tree.mkdir("d/sub", true);
    tree.write("d/f", new Uint8Array([120]), { offset: null });
    mkdirSync(join(dir, "out"));
    mkdirSync(join(dir, "precious"));
    symlinkSync("../precious/f", join(dir, "out/f"));
    await copyOut(files, "d", join(dir, "out"));
    assert.ok(lstatSync(join(dir, "out/f")).isFile());
    rmSync(join(dir, "out/sub"), { recursive: true });
    symlinkSync("../precious", join(dir, "out/sub"));
    const code = "PATH_REFUSED";
    await assert.rejects(copyOut(files, "d", join(dir, "out")), { code });
    assert.deepEqual(readdirSync(join(dir, "precious")), []);
  }));

/** A guest that lies about what it has. */
function liar(entries: Partial<FileEntry>[]): FileStore {
  const [, honest] = store();
  const full = entries.map((entry) => ({
    path: "x",
    kind: "file" as const,
    size: 1,
    mode: 0o6777,
    mtimeMs: 0,
    ...entry,
  }));
  return {
    ...honest,
    stat: (path) => Promise.resolve(full.find((entry) => entry.path === path)),
    list: () => Promise.resolve(full.slice(1)),
    read: () => Promise.resolve({ bytes: new Uint8Array(1), eof: true }),
  };
}

test("names that a guest made up write nothing outside", () =>
  withDir(async (dir) => {
    const directory = { path: "d", kind: "directory" as const };
    for (
      const path of ["../evil", "d/../../evil", "/evil", "d//evil", "d/\0", "e"]
    ) {
      const copy = copyOut(liar([directory, { path }]), "d", join(dir, "o/p"));
      await assert.rejects(copy, { code: "PATH_REFUSED" }, path);
    }
    const link = { kind: "symlink" as const };
    for (
      const entries of [
        [{ path: "d/l", ...link, target: "../x" }],
        [
          { path: "d/s", kind: "directory" as const },
          { path: "d/s/up", ...link, target: ".." },
          { path: "d/l", ...link, target: "s/up/../x" },
        ],
      ]
    ) {
      const copy = copyOut(liar([directory, ...entries]), "d", join(dir, "o"));
      await assert.rejects(copy, { code: "PATH_REFUSED" });
    }
    assert.deepEqual(readdirSync(dir), []);
  }));

test("a file does not bring special permission bits, and a failed copy leaves nothing", () =>
  withDir(async (dir) => {
    await copyOut(liar([{ path: "f" }]), "f", join(dir, "f"));
    assert.equal(statSync(join(dir, "f")).mode & 0o7777, 0o777);
    const broken: FileStore = {
      ...liar([{ path: "f" }]),
      read: () => Promise.reject(new Error("gone")),
    };
    await assert.rejects(copyOut(broken, "f", join(dir, "f")), /gone/);
    assert.deepEqual(readdirSync(dir), ["f"]);
    assert.equal(readFileSync(join(dir, "f")).length, 1);
  }));
