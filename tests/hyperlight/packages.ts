/**
 * The stacks that are tested, and a program that puts them into the cache:
 * a machine for hypervisor tests may have no network.
 */
import process from "node:process";
import { preparePackages } from "../../src/install/install.ts";
import { cacheDir } from "../../src/cache.ts";
import { loadHost } from "../../src/host.ts";

/** What each program imports, under the name of its file. */
export const stacks = [
  { name: "numpy", libraries: ["numpy"] },
  { name: "pandas", libraries: ["pandas"] },
  { name: "matplotlib", libraries: ["matplotlib"] },
  { name: "pillow", libraries: ["pillow"] },
  { name: "scikit_learn", libraries: ["scikit-learn"] },
] as const;

if (process.argv[2] === "prepare") {
  const cache = cacheDir(await loadHost());
  const conformance = ["humanize", "markdown-it-py"].map((one) => ({
    libraries: [one],
  }));
  for (const { libraries } of [...stacks, ...conformance]) {
    const { site } = await preparePackages(libraries, {
      cacheDir: cache,
      signal: undefined,
      onProgress: ({ text }) => console.error(text),
    });
    console.error(`${libraries.join(" ")}: ${site.path}`);
  }
}
