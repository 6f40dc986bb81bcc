/** Copying into a container and out of it: large files, holes, long names, and what is refused. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import {
  mkdir,
  mkdtemp,
  open,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createSession, probe, type Session } from "@mote/sandbox";
import { image } from "./specs.ts";

const { available, reason } = (await probe()).docker;
const skip = available ? false : reason;

async function withFolder(
  body: (dir: string, session: Session) => Promise<void>,
): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "mote-copy-"));
  const session = await createSession({
    backend: "docker",
    lang: "bash",
    image,
  });
  try {
    await body(dir, session);
  } finally {
    await session.close();
    await rm(dir, { recursive: true });
  }
}

test(
  "1 GiB goes in and out with less than 100 MB of memory",
  { skip },
  async () => {
    const file = new URL("./fixtures/copy_big.ts", import.meta.url);
    const args = ["run", "-A", "--no-check", fileURLToPath(file), image];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const { grownMb, same } = JSON.parse(stdout);
    assert.equal(same, true);
    assert.ok(grownMb < 100, `${grownMb} MB`);
  },
);

test(
  "holes stay holes, both ways",
  { skip },
  () =>
    withFolder(async (dir, session) => {
      const file = await open(join(dir, "holes"), "w");
      await file.write("begins");
      await file.write("ends", 100_000_000);
      await file.close();
      await session.copyToRuntime(join(dir, "holes"), "holes");
      const { stdout } = await session.run(
        "stat -c '%s %b' holes; tail -c 4 holes",
      );
      const [size, blocks, end] = stdout.split(/\s/);
      assert.equal(size, "100000004");
      assert.equal(end, "ends");
      assert.ok(Number(blocks) * 512 < 1_000_000, stdout);
      await session.copyFromRuntime("holes", join(dir, "back"));
      const back = await stat(join(dir, "back"));
      assert.equal(back.size, 100_000_004);
      assert.ok(back.blocks * 512 < 1_000_000, String(back.blocks));
      assert.ok(
        (await readFile(join(dir, "back"))).equals(
          await readFile(join(dir, "holes")),
        ),
      );
    }),
);

test("names of 255 bytes, deep folders, modes, and links within the tree", {
  skip,
}, () =>
  withFolder(async (dir, session) => {
    const name = "n".repeat(255);
    const deep = Array.from({ length: 12 }, (_, n) =>
      String.fromCharCode(97 + n).repeat(200)).join(
        "/",
      );
    const tree = join(dir, "tree");
    await mkdir(join(tree, deep), { recursive: true });
    await writeFile(join(tree, deep, name), "deep", { mode: 0o751 });
    await symlink("a".repeat(200), join(tree, "link"));
    await session.copyToRuntime(tree, "tree");
    const { stdout, stderr } = await session.run(
      `cat "tree/${deep}/${name}"; stat -c ' %a' "tree/${deep}/${name}"; readlink tree/link`,
    );
    assert.equal(stdout, `deep 751\n${"a".repeat(200)}\n`, stderr);
    await session.copyFromRuntime("tree", join(dir, "back"));
    const back = join(dir, "back", deep, name);
    assert.equal(await readFile(back, "utf8"), "deep");
    assert.equal((await stat(back)).mode & 0o777, 0o751);
  }));

test(
  "links that leave the tree are refused, both ways",
  { skip },
  () =>
    withFolder(async (dir, session) => {
      await mkdir(join(dir, "tree"));
      await symlink("/etc/passwd", join(dir, "tree", "out"));
      const refused = { code: "PATH_REFUSED" };
      await assert.rejects(
        session.copyToRuntime(join(dir, "tree"), "in"),
        refused,
      );
      await session.run("mkdir made && ln -s ../../etc made/out");
      await assert.rejects(
        session.copyFromRuntime("made", join(dir, "made")),
        refused,
      );
    }),
);
