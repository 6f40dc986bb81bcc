/** Which images the tests of containers use: those below the prefix MOTE_TEST_IMAGES, else each language's own. */
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import type { LanguageCase } from "./programs.ts";

const prefix = process.env.MOTE_TEST_IMAGES;
/** A Node that takes types away, where the image has none. */
const node = process.env.MOTE_TEST_NODE;

/** Where a session of the tests comes from, and what is left afterwards. */
export interface Source {
  readonly options: { image?: string; dockerfile?: string };
  remove(): Promise<void>;
}

function imageOf({ image }: LanguageCase): string | undefined {
  return prefix && `${prefix}${image === "node24" ? "node" : image}:1`;
}

/** Why there is no image for a case, if so. */
export function noImage(one: LanguageCase): string | undefined {
  if (one.image === "node24" && prefix && !node) {
    return "MOTE_TEST_NODE names no Node that takes types away";
  }
  return undefined;
}

/** The image of a case; one that has to be made is made from a Dockerfile. */
export async function sourceOf(
  one: LanguageCase,
  defaultImage: string,
  registry: boolean,
): Promise<Source> {
  const from = imageOf(one) ?? defaultImage;
  const wantsNode = one.image === "node24" && prefix !== undefined;
  const more = registry ? one.install?.registry : undefined;
  if (!wantsNode && !more) {
    return { options: { image: from }, remove: () => Promise.resolve() };
  }
  const dir = await mkdtemp(join(tmpdir(), "mote-image-"));
  const lines = [`FROM ${from}`, ...more?.lines ?? []];
  if (wantsNode) {
    await cp(node!, join(dir, "node"));
    lines.push("COPY node /usr/local/bin/node");
  }
  for (const [name, text] of Object.entries(more?.files ?? {})) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), text);
  }
  await writeFile(join(dir, "Dockerfile"), lines.join("\n") + "\n");
  return {
    options: { dockerfile: join(dir, "Dockerfile") },
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}
