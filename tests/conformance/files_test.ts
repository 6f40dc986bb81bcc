/** Files both ways between host and guest. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  chmod,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import type { Session } from "@mote/sandbox";
import { withFiles } from "./host_files.ts";
import { assertHealthy, countsFiles, each, refused } from "./targets.ts";

const paths = async (session: Session): Promise<string[]> =>
  (await session.listFiles()).map(({ path }) => path).sort();

each(
  "a file goes in, the guest reads it",
  (target) =>
    withFiles(target, {}, async (session, dir) => {
      await writeFile(join(dir, "in.txt"), "Grüße 🦀");
      await session.copyToRuntime(join(dir, "in.txt"), "data/in.txt");
      assert.equal(
        (await session.run(target.code.read("data/in.txt"))).stdout,
        "Grüße 🦀",
      );
      assert.equal(
        (await session.run(target.code.read("/sandbox/data/in.txt"))).stdout,
        "Grüße 🦀",
      );
    }),
);

each(
  "a file that the guest made comes out",
  (target) =>
    withFiles(target, {}, async (session, dir) => {
      await session.run(target.code.write("out.txt", "made inside 🦀"));
      await session.copyFromRuntime("out.txt", join(dir, "one.txt"));
      await session.copyFromRuntime("/sandbox/out.txt", join(dir, "two.txt"));
      assert.equal(
        await readFile(join(dir, "one.txt"), "utf8"),
        "made inside 🦀",
      );
      assert.equal(
        await readFile(join(dir, "two.txt"), "utf8"),
        "made inside 🦀",
      );
    }),
);

each(
  "5 MiB of any bytes go in and out unchanged, and so does an empty file",
  (target) =>
    withFiles(target, {}, async (session, dir) => {
      const bytes = Buffer.alloc(5 << 20);
      for (let at = 0; at < bytes.length; at++) {
        bytes[at] = (at * 7 + (at >> 9)) & 0xff;
      }
      await writeFile(join(dir, "big"), bytes);
      await writeFile(join(dir, "empty"), "");
      await session.copyToRuntime(join(dir, "big"), "big");
      await session.copyToRuntime(join(dir, "empty"), "empty");
      await session.copyFromRuntime("big", join(dir, "big.back"));
      await session.copyFromRuntime("empty", join(dir, "empty.back"));
      assert.ok(bytes.equals(await readFile(join(dir, "big.back"))));
      assert.equal((await stat(join(dir, "empty.back"))).size, 0);
    }),
);

each(
  "copying again replaces what was there",
  (target) =>
    withFiles(target, {}, async (session, dir) => {
      await writeFile(join(dir, "file"), "the first, longer text");
      await session.copyToRuntime(join(dir, "file"), "file");
      await writeFile(join(dir, "file"), "second");
      await session.copyToRuntime(join(dir, "file"), "file");
      assert.equal(
        (await session.run(target.code.read("file"))).stdout,
        "second",
      );
      await writeFile(join(dir, "back"), "something much longer than that");
      await session.copyFromRuntime("file", join(dir, "back"));
      assert.equal(await readFile(join(dir, "back"), "utf8"), "second");
    }),
);

each(
  "a directory goes in with all below it",
  (target) =>
    withFiles(target, {}, async (session, dir) => {
      await mkdir(join(dir, "tree/deep/er"), { recursive: true });
      await mkdir(join(dir, "tree/hollow"));
      await writeFile(join(dir, "tree/a.txt"), "a");
      await writeFile(join(dir, "tree/deep/er/ünï 🦀.txt"), "b");
      await session.copyToRuntime(join(dir, "tree"), "tree");
      assert.deepEqual(await paths(session), [
        "tree",
        "tree/a.txt",
        "tree/deep",
        "tree/deep/er",
        "tree/deep/er/ünï 🦀.txt",
        "tree/hollow",
      ]);
      const { stdout } = await session.run(target.code.list("tree"));
      assert.equal(stdout, "a.txt\ndeep\nhollow\n");
      assert.equal(
        (await session.run(target.code.read("tree/deep/er/ünï 🦀.txt"))).stdout,
        "b",
      );
    }),
);

each(
  "a directory comes out with all below it",
  (target) =>
    withFiles(target, {}, async (session, dir) => {
      await session.run(target.code.mkdir("made/deep"));
      await session.run(target.code.write("made/a", "A"));
      await session.run(target.code.write("made/deep/b", "B"));
      await session.copyFromRuntime("made", join(dir, "out"));
      assert.deepEqual(
        (await readdir(join(dir, "out"), { recursive: true })).sort(),
        [
          "a",
          "deep",
          "deep/b",
        ],
      );
      assert.equal(await readFile(join(dir, "out/deep/b"), "utf8"), "B");
    }),
);

each(
  "the whole workspace comes out as a directory",
  (target) =>
    withFiles(target, {}, async (session, dir) => {
      await session.run(target.code.write("a", "A"));
      await session.copyFromRuntime(".", join(dir, "dot"));
      await session.copyFromRuntime("/sandbox", join(dir, "absolute"));
      assert.equal(await readFile(join(dir, "dot/a"), "utf8"), "A");
      assert.equal(await readFile(join(dir, "absolute/a"), "utf8"), "A");
    }),
);

each(
  "permission bits are kept both ways",
  (target) =>
    withFiles(target, {}, async (session, dir) => {
      await writeFile(join(dir, "tool"), "x");
      await chmod(join(dir, "tool"), 0o755);
      await session.copyToRuntime(join(dir, "tool"), "tool");
      const entry = (await session.listFiles()).find(({ path }) =>
        path === "tool"
      );
      assert.equal((entry!.mode & 0o777).toString(8), "755");
      await session.copyFromRuntime("tool", join(dir, "back"));
      assert.equal(
        ((await stat(join(dir, "back"))).mode & 0o777).toString(8),
        "755",
      );
    }),
);

each(
  "listFiles says what each entry is",
  (target) =>
    withFiles(target, {}, async (session) => {
      await session.run(target.code.mkdir("dir"));
      await session.run(target.code.write("dir/file", "12345"));
      await session.run(target.code.symlink("dir/file", "link"));
      const entries = await session.listFiles();
      const seen = entries.map((
        { path, kind, size },
      ) => [path, kind, kind === "file" ? size : 0]);
      assert.deepEqual(seen.sort(), [
        ["dir", "directory", 0],
        ["dir/file", "file", 5],
        ["link", "symlink", 0],
      ]);
      assert.equal(
        entries.find(({ kind }) => kind === "symlink")!.target,
        "dir/file",
      );
      const flat = await session.listFiles(undefined, { recursive: false });
      assert.deepEqual(flat.map(({ path }) => path).sort(), ["dir", "link"]);
      assert.deepEqual(
        (await session.listFiles("dir")).map(({ path }) => path),
        ["dir/file"],
      );
    }),
);

each(
  "a link within the workspace is followed in the guest and copied as a link",
  (target) =>
    withFiles(target, {}, async (session, dir) => {
      await mkdir(join(dir, "tree"));
      await writeFile(join(dir, "tree/real"), "real");
      await symlink("real", join(dir, "tree/link"));
      await session.copyToRuntime(join(dir, "tree"), "tree");
      assert.equal(
        (await session.run(target.code.read("tree/link"))).stdout,
        "real",
      );
      await session.copyFromRuntime("tree", join(dir, "back"));
      assert.ok((await lstat(join(dir, "back/link"))).isSymbolicLink());
      assert.equal(await readlink(join(dir, "back/link")), "real");
    }),
);

each(
  "what is not there is FILE_NOT_FOUND",
  (target) =>
    withFiles(target, {}, async (session, dir) => {
      const code = "FILE_NOT_FOUND";
      await refused(session.copyToRuntime(join(dir, "none"), "none"), code);
      await refused(session.copyFromRuntime("none", join(dir, "none")), code);
      await refused(session.listFiles("none"), code);
    }),
);

each(
  "copying in past the quota is DISK_EXCEEDED",
  (target) =>
    withFiles(target, { limits: { workspaceMb: 1 } }, async (session, dir) => {
      await writeFile(join(dir, "big"), Buffer.alloc(3 << 20));
      await refused(
        session.copyToRuntime(join(dir, "big"), "big"),
        "DISK_EXCEEDED",
      );
      const held = (await session.listFiles()).reduce(
        (sum, { size }) => sum + size,
        0,
      );
      assert.ok(held <= 1 << 20);
      await session.run(target.code.write("small", "x"));
      await assertHealthy(target, session);
    }),
);

each(
  "copying in more files than the quota is DISK_EXCEEDED",
  (target) =>
    withFiles(
      target,
      { limits: { workspaceFiles: 10 } },
      async (session, dir) => {
        await mkdir(join(dir, "many"));
        for (let n = 0; n < 30; n++) {
          await writeFile(
            join(dir, `many/${n}`),
            "x",
          );
        }
        await refused(
          session.copyToRuntime(join(dir, "many"), "many"),
          "DISK_EXCEEDED",
        );
        await assertHealthy(target, session);
      },
    ),
  countsFiles,
);

each(
  "files are answered while code runs",
  (target) =>
    withFiles(target, {}, async (session, dir) => {
      await session.run(target.code.write("before", "x"));
      const control = new AbortController();
      const run = session.run(target.code.loopForever, {
        signal: control.signal,
      });
      await session.copyFromRuntime("before", join(dir, "before"));
      assert.deepEqual(await paths(session), ["before"]);
      control.abort();
      await refused(run, "ABORTED");
    }),
);

each(
  "copying takes a signal",
  (target) =>
    withFiles(target, {}, async (session, dir) => {
      await writeFile(join(dir, "x"), "x");
      const signal = AbortSignal.abort();
      await refused(
        session.copyToRuntime(join(dir, "x"), "x", { signal }),
        "ABORTED",
      );
      await session.run(target.code.write("y", "y"));
      await refused(
        session.copyFromRuntime("y", join(dir, "y"), { signal }),
        "ABORTED",
      );
      assert.deepEqual(await readdir(dir), ["x"]);
    }),
);
