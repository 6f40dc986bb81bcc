/** A project that installed the packed tarballs, with the portable tests beside them. */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { cacheDir, root } from "../cargo.ts";
import type { Run } from "./steps.ts";

const portable: readonly string[] = [
  "tests/conformance",
  "tests/process",
  "tests/guests",
];

let prepared: Promise<string> | undefined;

/** Makes the project once a run of the gate; resolves to its folder. */
export function prepareConsumer(run: Run): Promise<string> {
  return prepared ??= prepare(run);
}

function filesBelow(dir: string, ending: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(dir, name));
}

/** `deno transpile` keeps specifiers as they are; Node wants the name of the file that is there. */
function renameImports(dir: string): void {
  for (const file of filesBelow(dir, ".js")) {
    const text = readFileSync(file, "utf8");
    writeFileSync(
      file,
      text.replace(/((?:from|import)\s*\(?\s*"\.[^"]*)\.ts"/g, '$1.js"'),
    );
  }
}

async function prepare(run: Run): Promise<string> {
  const dir = `${cacheDir}/consumer`;
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  const { imports } = JSON.parse(readFileSync(`${root}/deno.json`, "utf8"));
  const tarballs = readdirSync(`${root}/npm`).filter((name) =>
    name.endsWith(".tgz")
  );
  if (tarballs.length < 2) {
    throw new Error("Cannot test on Node: run `deno task npm` first");
  }
  const versionOf = (name: string): string =>
    imports[name].slice(`npm:${name}@`.length);
  const arch = Deno.build.arch === "aarch64" ? "arm64" : "x64";
  const dependencies = {
    zod: versionOf("zod"),
    // Koffi's own optional package, without which npm compiles koffi.
    [`@koromix/koffi-linux-${arch}`]: versionOf("koffi"),
  };
  writeFileSync(
    `${dir}/package.json`,
    JSON.stringify({ private: true, type: "module", dependencies }),
  );
  const install = ["install", "--no-audit", "--no-fund", "--prefer-offline"];
  const code = await run("npm", [
    ...install,
    // Another platform's library is not on the registry of a working tree.
    "--omit=optional",
    ...tarballs.map((name) => `${root}/npm/${name}`),
  ], { cwd: dir });
  if (code !== 0) {
    throw new Error(
      `Cannot install the packed package: npm ended with ${code}`,
    );
  }

  const sources = portable.flatMap((folder) =>
    filesBelow(`${root}/${folder}`, ".ts")
  );
  const transpiled = await run(Deno.execPath(), [
    "transpile",
    "--outdir",
    dir,
    ...sources,
  ]);
  if (transpiled !== 0) {
    throw new Error("Cannot transpile the portable tests; see the log");
  }
  renameImports(`${dir}/tests`);
  return dir;
}
