import assert from "node:assert/strict";
import { SandboxError } from "../../mod.ts";

/** Expects a SandboxError whose message helps. */
export async function refused(
  work: Promise<unknown>,
  code: string,
  words: RegExp = /./,
): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof SandboxError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, /^Cannot [^:]+: .+\. .+\.$/s);
    assert.match(error.message, words);
    return true;
  });
}
