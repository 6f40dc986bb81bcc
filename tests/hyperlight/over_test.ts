/** Sessions that go over from the micro guest to the linux guest; needs the packages in the cache and a hypervisor. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { chmod, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createSession, SandboxError, tool } from "@mote/sandbox";
import { z } from "zod";
import type { Progress, Session, SessionOptions } from "@mote/sandbox";
import { cacheDir } from "../../src/cache.ts";
import { loadHost } from "../../src/host.ts";
import { steps } from "./packages.ts";

async function withSession(
  options: SessionOptions<"hyperlight">,
  body: (session: Session) => Promise<void>,
): Promise<void> {
  const session = await createSession({
    backend: "hyperlight",
    acceptEmulatedHypervisor: true,
    timeoutMs: 600_000,
    ...options,
  });
  try {
    await body(session);
  } finally {
    await session.close();
  }
}

async function refused(
  work: Promise<unknown>,
  code: string,
): Promise<SandboxError> {
  const error = await work.then(() => undefined, (error) => error);
  assert.ok(error instanceof SandboxError, `${code} expected, got ${error}`);
  assert.equal(error.code, code, error.message);
  assert.match(error.message, /^Cannot [^:]+: .+\. .+\.$/s);
  return error;
}

const sums = "import numpy as np\nprint(np.arange(10).sum())";

async function assertLinux(session: Session): Promise<void> {
  const { stdout, stderr, receipt } = await session.run(sums);
  assert.equal(stdout, "45\n", stderr);
  assert.equal(receipt.guest, "linux");
}

async function assertMicro(session: Session): Promise<void> {
  const { stdout, stderr, receipt } = await session.run(
    "import sys\nprint(sys.platform)",
  );
  assert.equal(stdout, "wasi\n", stderr);
  assert.equal(receipt.guest, "micro");
  assert.doesNotMatch(session.backend.reason, /linux/);
  assert.equal(session.capabilities.nativeLibraries, false);
}

const makesFiles = `
import os
os.makedirs("deep/er")
open("deep/er/text", "w").write("text")
os.symlink("er/text", "deep/link")
os.symlink("/etc/passwd", "deep/out")
os.link("deep/er/text", "deep/hard")
os.utime("deep/er/text", ns=(1_000_000_000_123_456_789, 1_000_000_000_123_456_789))
os.utime("deep", (1, 2))
open("whole", "wb").write(bytes(range(256)) * 4096)
`;

const readsFiles = `
import os, humanize, numpy
text = os.stat("deep/er/text")
print(text.st_mtime_ns, open("deep/hard").read(), open("deep/link").read())
print(open("whole", "rb").read() == bytes(range(256)) * 4096)
print(humanize.intcomma(int(numpy.int64(1234567))))
print(sorted(name for name in os.listdir("/site-packages") if name in ("humanize", "numpy")))
`;

test("files and libraries go over with the session", async () => {
  const dir = await mkdtemp(join(tmpdir(), "mote-over-"));
  await writeFile(join(dir, "script"), "#!/bin/sh\n");
  await chmod(join(dir, "script"), 0o750);
  await symlink("script", join(dir, "same"));
  try {
    await withSession({}, async (session) => {
      await session.copyToRuntime(dir, "copied");
      const made = await session.run(makesFiles);
      assert.equal(made.stderr, "");
      const [first, second] = steps;
      await session.install([first!]);
      await assertMicro(session);
      const before = await session.listFiles();
      const installing = session.install([second!]);
      // It queues behind the installation.
      const queued = session.run(readsFiles);
      const installed = await installing;
      const numpy = installed.find(({ name }) => name === "numpy");
      assert.equal(numpy?.native, true);
      assert.ok(!installed.some(({ name }) => name === "humanize"));
      assert.match(session.backend.reason, /linux.*numpy/);
      assert.equal(session.capabilities.nativeLibraries, true);
      const after = await session.listFiles();
      const { stdout, stderr, receipt } = await queued;
      assert.equal(
        stdout,
        "1000000000123456789 text text\nTrue\n1,234,567\n['humanize', 'numpy']\n",
        stderr,
      );
      assert.deepEqual(after, before);
      assert.equal(receipt.guest, "linux");
      assert.notEqual(receipt.imageSha256, made.receipt.imageSha256);
      assert.deepEqual(
        receipt.libraries.map(({ name }) => name).sort(),
        ["humanize", "numpy"],
      );
      assert.equal(made.receipt.guest, "micro");
      const whole = made.artifacts.find(({ path }) => path === "whole");
      assert.equal((await whole?.bytes())?.length, 1 << 20);
      // A further library lies over those that it went over with.
      await session.install(["markdown-it-py"]);
      const both = await session.run(
        "import markdown_it, mdurl, numpy, humanize\nprint(numpy.arange(3).sum())",
      );
      assert.equal(both.stdout, "3\n", both.stderr);
      assert.equal(both.receipt.libraries.length, 4);
    });
  } finally {
    await rm(dir, { recursive: true });
  }
});

test("libraries of a run, and an installation that a tool asks for", () => {
  let session: Session | undefined;
  return withSession({
    tools: {
      install: tool({
        input: z.object({}),
        output: z.number(),
        run: async () => (await session!.install(["numpy"])).length,
      }),
    },
  }, async (opened) => {
    session = opened;
    const asking = await session.run("print(tools.install())");
    assert.equal(asking.stdout, "1\n", asking.stderr);
    // It ended where it began.
    assert.equal(asking.receipt.guest, "micro");
    await assertLinux(session);
    const again = await session.run(sums, { libraries: ["numpy"] });
    assert.equal(again.stdout, "45\n", again.stderr);
  });
});

test("a session that asked for the micro guest stays in it", () =>
  withSession({ guest: "micro" }, async (session) => {
    const error = await refused(session.install(["numpy"]), "INSTALL_FAILED");
    assert.match(error.message, /numpy.*guest: "linux"/);
    await assertMicro(session);
  }));

test("an interactive session goes over before its first run only", async () => {
  await withSession({ interactive: true }, async (session) => {
    await session.run("kept = 6");
    const error = await refused(session.install(["numpy"]), "INSTALL_FAILED");
    assert.match(error.message, /interactive.*guest: "linux"/);
    assert.equal((await session.run("print(kept * 7)")).stdout, "42\n");
    await assertMicro(session);
  });
  await withSession({ interactive: true }, async (session) => {
    await session.run("import numpy\nkept = numpy.arange(4)", {
      libraries: ["numpy"],
    });
    assert.equal((await session.run("print(kept.sum())")).stdout, "6\n");
  });
});

/** Every unpacked file of this name in the cache. */
async function cached(path: string): Promise<string[]> {
  const site = join(cacheDir(await loadHost()), "python", "site");
  return readdirSync(site).map((set) => join(site, set, "files", path))
    .filter((file) => existsSync(file));
}

test("what cannot go over stays as it is", () =>
  withSession({}, async (session) => {
    await session.run("open('kept', 'w').write('kept')");
    await session.install(["humanize"]);
    const files = await cached("numpy/version.py");
    const whole = files.map((file) => readFileSync(file));
    try {
      for (const file of files) await writeFile(file, "damaged");
      const work = session.install(["numpy"]);
      const error = await refused(work, "INSTALL_FAILED");
      assert.match(
        error.message,
        /^Cannot install numpy: .*linux.*version\.py/,
      );
      await assertMicro(session);
      const { stdout } = await session.run(
        "import humanize\nprint(open('kept').read())",
      );
      assert.equal(stdout, "kept\n");
    } finally {
      for (const [at, file] of files.entries()) {
        await writeFile(file, whole[at]!);
      }
    }
    await session.install(["numpy"]);
    await assertLinux(session);
  }));

test("aborted or closed on its way it leaves no machine behind", async () => {
  const machines = () =>
    readdirSync("/proc/self/task").filter((task) => {
      try {
        const name = readFileSync(`/proc/self/task/${task}/comm`, "utf8");
        return /^mote-(linux|vm)/.test(name);
      } catch {
        return false;
      }
    }).length;
  /** Calls back when the new machine is on its way. */
  const underway = (work: () => void) => ({ stage }: Progress) => {
    if (stage === "open") setTimeout(work, 0);
  };
  await withSession({}, async (session) => {
    const stop = new AbortController();
    const { signal } = stop;
    const onProgress = underway(() => stop.abort());
    const install = session.install(["numpy"], { signal, onProgress });
    const waiting = session.run("print('waited')");
    await refused(install, "ABORTED");
    assert.equal((await waiting).stdout, "waited\n");
    await assertMicro(session);
    let closed: Promise<void> | undefined;
    const close = underway(() => closed = session.close());
    const another = session.install(["numpy"], { onProgress: close });
    const never = session.run("print('never')");
    await refused(another, "SESSION_CLOSED");
    await refused(never, "SESSION_CLOSED");
    await closed;
  });
  const until = Date.now() + 60_000;
  while (machines() > 0 && Date.now() < until) {
    await new Promise((next) => setTimeout(next, 0));
  }
  assert.equal(machines(), 0);
});

test("sessions share the libraries that they open with", async () => {
  const resident = () => {
    const status = readFileSync("/proc/self/status", "utf8");
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
  };
  const open: Session[] = [];
  const took: string[] = [];
  try {
    for (let at = 0; at < 4; at++) {
      const [before, begun] = [resident(), performance.now()];
      open.push(
        await createSession({
          backend: "hyperlight",
          acceptEmulatedHypervisor: true,
          timeoutMs: 600_000,
          libraries: ["numpy"],
        }),
      );
      const ms = performance.now() - begun;
      took.push(`${(resident() - before).toFixed(0)} MiB, ${ms.toFixed(0)} ms`);
    }
    console.log(`each further session took ${took.join("; ")}`);
    await Promise.all(open.map(assertLinux));
  } finally {
    await Promise.all(open.map((session) => session.close()));
  }
});
