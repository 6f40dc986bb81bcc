/** A folder of the host for tests that copy. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Session } from "@mote/sandbox";
import { withSession } from "./targets.ts";
import type { OpenOptions, Target } from "./targets.ts";

/** A session and a folder of the host, both gone afterwards. */
export async function withFiles(
  target: Target,
  options: OpenOptions,
  body: (session: Session, dir: string) => Promise<void>,
): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "mote-files-"));
  try {
    await withSession(target, options, (session) => body(session, dir));
  } finally {
    await rm(dir, { recursive: true });
  }
}
