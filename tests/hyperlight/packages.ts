/**
 * The stacks that are tested, and a program that puts them into the cache:
 * a machine for hypervisor tests may have no network.
 */
import { pureTarget } from "../../src/install/python_target.ts";
import process from "node:process";
import { memoryBackend } from "../../src/backends/memory.ts";
import { installPackages, preparePackages } from "../../src/install/install.ts";
import { cacheDir } from "../../src/cache.ts";
import { loadHost } from "../../src/host.ts";
import { parseSessionOptions } from "../../src/options.ts";
import type { InstalledLibrary } from "../../src/result.ts";

/** What each program imports, under the name of its file. */
export const stacks = [
  { name: "numpy", libraries: ["numpy"] },
  { name: "pandas", libraries: ["pandas"] },
  { name: "matplotlib", libraries: ["matplotlib"] },
  { name: "pillow", libraries: ["pillow"] },
  { name: "scikit_learn", libraries: ["scikit-learn"] },
] as const;

/** What a session of the micro guest installs, one after the other, until it goes over to the linux guest. */
export const steps: readonly string[] = ["humanize", "numpy"];

/** Installs what the steps do, without a machine. */
async function prepareSteps(cacheDir: string): Promise<void> {
  const { limits, lang } = parseSessionOptions({});
  const spec = { lang, image: null, cacheDir, env: {}, tools: [], limits };
  const wall = await memoryBackend.open({ ...spec, interactive: false });
  const installed: InstalledLibrary[] = [];
  for (const step of steps) {
    installed.push(
      ...await installPackages([step], {
        cacheDir,
        files: wall.files("site-packages"),
        installed,
        target: pureTarget,
        goOver: () => Promise.resolve(),
        signal: undefined,
        onProgress: () => {},
      }),
    );
    console.error(`${step}: a step`);
  }
  await wall.close();
}

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
  await prepareSteps(cache);
}
