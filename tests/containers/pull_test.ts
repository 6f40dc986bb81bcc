/** Pulling, from a registry of the test's own; left out where the engine is in another network than this machine's. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { createServer, type ServerResponse } from "node:http";
import process from "node:process";
import { test, type TestContext } from "node:test";
import tar from "tar-stream";
import type { Progress } from "../../src/result.ts";
import { engines, leavesNothing, type Tested } from "./engines.ts";
import { refused } from "./refused.ts";
import { boxSpec } from "./specs.ts";

const digestOf = (bytes: Uint8Array): string =>
  `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** The files of an image with one layer, which no gzip makes smaller. */
async function makeImage(sizeMb: number): Promise<Map<string, Uint8Array>> {
  const pack = tar.pack();
  pack.entry({ name: "data" }, randomBytes(sizeMb << 20));
  pack.finalize();
  const parts: Uint8Array[] = [];
  for await (const part of pack) parts.push(part as Uint8Array);
  const layer = new Uint8Array(
    await new Blob(parts as BlobPart[]).arrayBuffer(),
  );
  const encoder = new TextEncoder();
  const config = encoder.encode(JSON.stringify({
    architecture: process.arch === "arm64" ? "arm64" : "amd64",
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: [digestOf(layer)] },
  }));
  const type = "application/vnd.docker";
  const manifest = encoder.encode(JSON.stringify({
    schemaVersion: 2,
    mediaType: `${type}.distribution.manifest.v2+json`,
    config: {
      mediaType: `${type}.container.image.v1+json`,
      size: config.length,
      digest: digestOf(config),
    },
    layers: [{
      mediaType: `${type}.image.rootfs.diff.tar`,
      size: layer.length,
      digest: digestOf(layer),
    }],
  }));
  return new Map([
    ["manifest", manifest],
    [digestOf(manifest), manifest],
    [digestOf(config), config],
    [digestOf(layer), layer],
  ]);
}

interface Registry {
  port: number;
  asked: string[];
  /** Layers stop in the middle until this is called. */
  go(): void;
  /** Answers whose client left before their end. */
  left: number;
}

/** Sends bytes, and stops in the middle of long ones until `go`. */
async function send(
  answer: ServerResponse,
  bytes: Uint8Array,
  go: Promise<void>,
): Promise<void> {
  const half = bytes.length >> 1;
  answer.write(bytes.subarray(0, half));
  if (bytes.length > 1_000_000) await go;
  answer.end(bytes.subarray(half));
}

async function withRegistry(
  body: (registry: Registry) => Promise<void>,
): Promise<void> {
  const files = await makeImage(8);
  let go!: () => void;
  const going = new Promise<void>((done) => go = done);
  const registry: Registry = { port: 0, asked: [], go, left: 0 };
  const server = createServer((request, answer) => {
    const path = request.url ?? "";
    registry.asked.push(path);
    answer.on("close", () => {
      if (!answer.writableFinished) registry.left++;
    });
    const name = /\/(?:manifests|blobs)\/(.+)$/.exec(path)?.[1];
    if (path === "/v2/") return void answer.end("{}");
    const file = path.startsWith("/v2/mote/test/") && name !== undefined
      ? files.get(name) ?? (name === "1" ? files.get("manifest") : undefined)
      : undefined;
    if (!file) return void answer.writeHead(404).end('{"errors":[]}');
    answer.writeHead(200, {
      "Content-Type": path.includes("/manifests/")
        ? "application/vnd.docker.distribution.manifest.v2+json"
        : "application/octet-stream",
      "Content-Length": file.length,
      "Docker-Content-Digest": digestOf(file),
    });
    if (request.method === "HEAD") return void answer.end();
    send(answer, file, going);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  registry.port = (server.address() as { port: number }).port;
  try {
    await body(registry);
  } finally {
    go();
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
}

/** Whether the engine reaches this machine's own addresses. */
async function reaches(
  { engine }: Tested,
  { port, asked }: Registry,
): Promise<boolean> {
  const name = `127.0.0.1:${port}/none:1`;
  const source = { kind: "image", image: name } as const;
  await refused(engine.start(boxSpec("true", { source })), "GUEST_NOT_FOUND");
  return asked.length > 0;
}

for (const tested of engines) {
  const what =
    `${tested.name}: an image is pulled with progress, and not when aborted`;
  test(
    what,
    { timeout: 120_000 },
    (t: TestContext) =>
      withRegistry(async (registry) => {
        if (!await reaches(tested, registry)) {
          return t.skip("the engine does not reach this machine's addresses");
        }
        const name = `127.0.0.1:${registry.port}/mote/test:1`;
        const source = { kind: "image", image: name } as const;
        await leavesNothing(tested, async () => {
          const end = new AbortController();
          const stopped = tested.engine.start(boxSpec("true", {
            source,
            signal: end.signal,
            onProgress: ({ done }) => {
              if (done > 0) end.abort();
            },
          }));
          await refused(stopped, "ABORTED");
          registry.go();
          const told: Progress[] = [];
          // It holds no program at all, so starting it is what fails.
          await refused(
            tested.engine.start(boxSpec("true", {
              source,
              onProgress: (one) => told.push(one),
            })),
            "GUEST_INVALID",
          );
          assert.ok(
            told.some(({ stage, total }) => stage === "download" && total > 0),
          );
          await tested.docker.getImage(name).remove();
        });
      }),
  );
}
