/** Nothing leaves the workspace or comes in by another way than the API's. */
import assert from "node:assert/strict";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withFiles } from "./host_files.ts";
import { assertHealthy, each, isContainer, refused } from "./targets.ts";

for (
  const path of [
    "../x",
    "a/../../x",
    "/etc/passwd",
    "/sandbox/../etc/x",
    "/sandboxes/x",
  ]
) {
  each(
    `a guest path that leaves the workspace is refused: ${path}`,
    (target) =>
      withFiles(target, {}, async (session, dir) => {
        await writeFile(join(dir, "x"), "x");
        await refused(
          session.copyToRuntime(join(dir, "x"), path),
          "PATH_REFUSED",
        );
        await refused(
          session.copyFromRuntime(path, join(dir, "out")),
          "PATH_REFUSED",
        );
        await refused(session.listFiles(path), "PATH_REFUSED");
        assert.deepEqual(await readdir(dir), ["x"]);
        assert.deepEqual(await session.listFiles(), []);
      }),
  );
}

each(
  "a path with NUL is refused",
  (target) =>
    withFiles(target, {}, async (session, dir) => {
      await writeFile(join(dir, "x"), "x");
      await refused(
        session.copyToRuntime(join(dir, "x"), "a\0b"),
        "PATH_REFUSED",
      );
    }),
);

each(
  "a guest's link that leaves the workspace is refused on the way in",
  (target) =>
    withFiles(target, {}, async (session, dir) => {
      for (const leaving of ["/etc", "../../etc", "/tmp"]) {
        await session.run(target.code.symlink(leaving, "link"));
        const made = (await session.listFiles()).some(({ path }) =>
          path === "link"
        );
        await writeFile(join(dir, "x"), "x");
        if (made) {
          await refused(
            session.copyToRuntime(join(dir, "x"), "link/x"),
            "PATH_REFUSED",
          );
          await session.run(target.code.remove("link"));
        }
      }
      await assertHealthy(target, session);
    }),
);

each(
  "a guest's link that leaves the workspace is refused on the way out",
  (target) =>
    withFiles(target, {}, async (session, dir) => {
      for (const leaving of ["/etc/passwd", "../../../etc/passwd", "/"]) {
        await session.run(target.code.mkdir(`dir`));
        await session.run(target.code.symlink(leaving, "dir/link"));
        const made = (await session.listFiles()).some(({ path }) =>
          path === "dir/link"
        );
        if (made) {
          await refused(
            session.copyFromRuntime("dir/link", join(dir, "out")),
            "PATH_REFUSED",
          );
          await refused(
            session.copyFromRuntime("dir", join(dir, "outdir")),
            "PATH_REFUSED",
          );
          await session.run(target.code.remove("dir/link"));
        }
      }
      assert.equal((await readdir(dir)).includes("out"), false);
    }),
);

each(
  "a host's link that leaves what is copied is refused",
  (target) =>
    withFiles(target, {}, async (session, dir) => {
      await mkdir(join(dir, "tree"));
      await symlink("/etc/passwd", join(dir, "tree/link"));
      await refused(
        session.copyToRuntime(join(dir, "tree"), "tree"),
        "PATH_REFUSED",
      );
    }),
);

each(
  "a link of the host is not written through on the way out",
  (target) =>
    withFiles(target, {}, async (session, dir) => {
      await session.run(target.code.mkdir("out"));
      await session.run(target.code.write("out/file", "from the guest"));
      await writeFile(join(dir, "precious"), "precious");
      await mkdir(join(dir, "out"));
      await symlink(join(dir, "precious"), join(dir, "out/file"));
      await session.copyFromRuntime("out", join(dir, "out")).catch(() => {});
      assert.equal(await readFile(join(dir, "precious"), "utf8"), "precious");
    }),
);

each(
  "the guest can neither read nor write beyond its root",
  (target) =>
    withFiles(target, {}, async (session) => {
      for (
        const path of [
          "/etc/passwd",
          "../etc/passwd",
          "../../../../etc/passwd",
          "/proc/self/maps",
        ]
      ) {
        // An image's own files are there to be read.
        if (isContainer(target)) break;
        const read = await session.run(target.code.readCaught(path));
        assert.equal(read.stdout, "refused\n", `${path}: ${read.stderr}`);
      }
      for (
        const path of [
          "/etc/passwd",
          "/made-by-guest",
          "../made-by-guest",
          "/lib/made-by-guest",
        ]
      ) {
        const write = await session.run(target.code.writeCaught(path));
        assert.equal(write.stdout, "refused\n", `${path}: ${write.stderr}`);
      }
      await assertHealthy(target, session);
    }),
);
