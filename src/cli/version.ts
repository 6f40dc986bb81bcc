import { fileURLToPath } from "node:url";
import { readFile } from "node:fs/promises";

/** The version of this package, as its manifest says. */
export async function version(): Promise<string> {
  for (const name of ["package.json", "deno.json"]) {
    const file = fileURLToPath(new URL(`../../${name}`, import.meta.url));
    const text = await readFile(file, "utf8").catch(() => undefined);
    if (text === undefined) continue;
    const manifest = JSON.parse(text) as { name?: string; version?: string };
    if (manifest.name === "@mote/sandbox" && manifest.version) {
      return manifest.version;
    }
  }
  return "of an unknown version";
}
