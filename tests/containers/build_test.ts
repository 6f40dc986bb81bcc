/** Images from Dockerfiles. */
import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { BoxSpec } from "../../src/backends/container/box.ts";
import type { Progress } from "../../src/result.ts";
import {
  each,
  leavesNothing,
  ours,
  said,
  saidBy,
  type Tested,
  withBox,
} from "./engines.ts";
import { refused } from "./refused.ts";
import { boxSpec, image } from "./specs.ts";

let count = 0;

/** A folder with a Dockerfile, gone afterwards. */
async function withDockerfile(
  { docker }: Tested,
  lines: string,
  body: (dir: string) => Promise<void>,
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "mote-build-"));
  const base = `FROM ${image}\nLABEL mote.test=${process.pid}-${count++}\n`;
  writeFileSync(join(dir, "Dockerfile"), base + lines);
  try {
    await body(dir);
  } finally {
    rmSync(dir, { recursive: true });
    const filters = { label: [`mote.test=${process.pid}-${count - 1}`] };
    const left = await docker.listImages({ filters: JSON.stringify(filters) });
    for (const { Id } of left) {
      await docker.getImage(Id).remove({ force: true }).catch(() => {});
    }
  }
}

const from = (path: string, more: Partial<BoxSpec> = {}) => ({
  source: { kind: "dockerfile", path } as const,
  ...more,
});

each(
  "a folder is built with what .dockerignore lets through, and ends with its boxes",
  (tested) =>
    withDockerfile(
      tested,
      'COPY . /given\nRUN chmod -R a+rX /given\nENTRYPOINT ["false"]\nVOLUME /data\n',
      (dir) =>
        leavesNothing(tested, async () => {
          writeFileSync(join(dir, "in"), "in\n");
          writeFileSync(join(dir, "secret.key"), "out\n");
          writeFileSync(join(dir, "run.sh"), "#!/bin/sh\necho ran\n");
          chmodSync(join(dir, "run.sh"), 0o755);
          mkdirSync(join(dir, "drop"));
          writeFileSync(join(dir, "drop", "a"), "a\n");
          writeFileSync(join(dir, "drop", "keep"), "kept\n");
          writeFileSync(join(dir, "x".repeat(140)), "long\n");
          symlinkSync("in", join(dir, "link"));
          writeFileSync(
            join(dir, ".dockerignore"),
            "*.key\ndrop/*\n!drop/keep\n",
          );
          const told: Progress[] = [];
          const spec = boxSpec(
            "cd /given; ls drop; cat link; ./run.sh; ls | wc -l; touch /data/x 2>/dev/null || echo covered",
            from(dir, { onProgress: (one) => told.push(one) }),
          );
          assert.equal(
            await withBox(tested, spec, saidBy),
            "keep\nin\nran\n6\ncovered\n",
          );
          assert.ok(told.length > 2);
          assert.ok(told.every((one) => one.stage === "compile"));
        }),
    ),
);

each(
  "builds of one Dockerfile at the same time are one build",
  (tested) =>
    withDockerfile(
      tested,
      "RUN head -c 8 /dev/urandom > /id; chmod a+r /id\n",
      (dir) =>
        leavesNothing(tested, async () => {
          const boxes = await Promise.all(
            [0, 1, 2].map(() =>
              tested.engine.start(boxSpec("od -An -tx1 /id; cat", from(dir)))
            ),
          );
          const ids = await Promise.all(boxes.map(async ({ channel }) => {
            const output = channel.output[Symbol.asyncIterator]();
            return new TextDecoder().decode((await output.next()).value);
          }));
          assert.equal(new Set(ids).size, 1);
          assert.equal(new Set(boxes.map((box) => box.imageId)).size, 1);
          await Promise.all(boxes.map((box) => box.remove()));
        }),
    ),
);

each(
  "what is kept is not built again, and what changed is",
  (tested) =>
    withDockerfile(
      tested,
      "COPY word /word\nRUN chmod a+r /word; head -c 8 /dev/urandom >> /word\n",
      async (dir) => {
        const run = () =>
          said(tested, "od -An -tx1 /word", from(dir, { keepTemplate: true }));
        writeFileSync(join(dir, "word"), "one");
        const first = await run();
        assert.equal(await run(), first);
        writeFileSync(join(dir, "word"), "two");
        assert.notEqual(await run(), first);
        const kept = await ours(tested);
        assert.ok(
          kept.some((one) => one.startsWith("localhost/mote-template:")),
        );
        assert.ok(!kept.some((one) => one.startsWith("localhost/mote-build:")));
      },
    ),
);

each(
  "a build that fails says what the builder said",
  (tested) =>
    withDockerfile(
      tested,
      "RUN echo about to fail; exit 7\n",
      (dir) =>
        leavesNothing(tested, async () => {
          await refused(
            tested.engine.start(boxSpec("cat", from(dir))),
            "GUEST_BUILD_FAILED",
            /about to fail/,
          );
          const broken = join(dir, "Broken");
          writeFileSync(broken, "NOT A DOCKERFILE\n");
          await refused(
            tested.engine.start(boxSpec("cat", from(broken))),
            "GUEST_BUILD_FAILED",
          );
          await refused(
            tested.engine.start(boxSpec("cat", from(join(dir, "none")))),
            "FILE_NOT_FOUND",
          );
        }),
    ),
);

/** Podman lets a step that has begun end before it stops. */
const stepThenStop = ({ name }: Tested): string =>
  `RUN echo begun; sleep ${name === "podman" ? 3 : 600}\nRUN sleep 600\n`;

each(
  "a build that is aborted stops",
  (tested) =>
    withDockerfile(
      tested,
      stepThenStop(tested),
      (dir) =>
        leavesNothing(tested, async () => {
          const end = new AbortController();
          const spec = boxSpec(
            "cat",
            from(dir, {
              signal: end.signal,
              onProgress: ({ text }) => {
                if (text.includes("begun")) end.abort();
              },
            }),
          );
          const began = Date.now();
          await refused(tested.engine.start(spec), "ABORTED");
          assert.ok(Date.now() - began < 60_000);
        }),
    ),
);

each(
  "a context much larger than the memory that it may take",
  (tested) =>
    withDockerfile(tested, "COPY big /big\n", async (dir) => {
      const piece = new Uint8Array(1 << 20);
      const { openSync, writeSync, closeSync } = await import("node:fs");
      const file = openSync(join(dir, "big"), "w", 0o644);
      for (let i = 0; i < 200; i++) writeSync(file, piece);
      closeSync(file);
      const before = process.memoryUsage().rss;
      let most = 0;
      const watch = setInterval(() => {
        most = Math.max(most, process.memoryUsage().rss);
      }, 5);
      try {
        const text = await said(tested, "wc -c < /big", from(dir));
        assert.equal(text.trim(), String(200 << 20));
      } finally {
        clearInterval(watch);
      }
      const grown = (most - before) >> 20;
      assert.ok(grown < 100, `${grown} MiB more`);
    }),
);
