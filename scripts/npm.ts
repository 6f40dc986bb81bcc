/** `deno task npm`: the package for Node and the one for this platform's library, as tarballs in npm/. */
import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { buildLibrary } from "./build.ts";
import { root } from "./cargo.ts";

const out = `${root}/npm`;

/** Every platform that has a package of its own, in npm's terms. */
const platforms: readonly string[] = ["linux-x64-gnu", "linux-arm64-gnu"];

const platform = `linux-${Deno.build.arch === "aarch64" ? "arm64" : "x64"}-gnu`;

function run(command: string, args: string[], cwd = root): string {
  return execFileSync(command, args, {
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

// deno-lint-ignore no-explicit-any -- package.json as deno pack wrote it
function editJson(file: string, edit: (json: any) => void): void {
  const json = JSON.parse(readFileSync(file, "utf8"));
  edit(json);
  writeFileSync(file, `${JSON.stringify(json, null, 2)}\n`);
}

function pack(dir: string): string {
  const listed = JSON.parse(
    run("npm", ["pack", "--json", "--pack-destination", out], dir),
  );
  return `${out}/${listed[0].filename}`;
}

/** Packages that only tests and the bench import. */
const forTests: readonly string[] = [
  "@jitl/quickjs-ng-wasmfile-release-sync",
  "@sebastianwessel/quickjs",
  "fast-check",
  "puppeteer-core",
  "pyodide",
  "quickjs-emscripten",
  "vega",
  "vega-lite",
  "zod",
];

/** Every package that shipped code imports, with its version. */
function shipped(): Record<string, string> {
  const { imports } = JSON.parse(readFileSync(`${root}/deno.json`, "utf8"));
  const found: Record<string, string> = {};
  for (const target of Object.values<string>(imports)) {
    const [, name, version] =
      /^npm:((?:@[^/@]+\/)?[^/@]+)@([^/]+)/.exec(target) ??
        [];
    if (name && version && !forTests.includes(name)) found[name] = version;
  }
  return found;
}

/** The ESM build of the TypeScript, its declarations and the guest images. */
function packMain(): string {
  const dir = `${out}/package`;
  run(Deno.execPath(), [
    "pack",
    "--allow-dirty",
    "--no-source-maps",
    "-o",
    `${out}/deno.tgz`,
  ]);
  run("tar", ["xzf", `${out}/deno.tgz`, "-C", out]);
  rmSync(`${out}/deno.tgz`);
  mkdirSync(`${dir}/guests`, { recursive: true });
  cpSync(`${root}/guests/images`, `${dir}/guests/images`, { recursive: true });
  // The crate that own guests begin from.
  cpSync(`${root}/guests/template`, `${dir}/guests/template`, {
    recursive: true,
    filter: (path) => basename(path) !== "target",
  });
  for (const name of ["LICENSE", "README.md", "SECURITY.md", "CHANGELOG.md"]) {
    if (existsSync(`${root}/${name}`)) {
      copyFileSync(`${root}/${name}`, `${dir}/${name}`);
    }
  }
  editJson(`${dir}/package.json`, (json) => {
    json.description =
      "Runs code that nobody trusts, and hands back what it printed and made";
    json.engines = { node: ">=20" };
    json.sideEffects = false;
    // Those that are imported when first needed `deno pack` does not see.
    json.dependencies = { ...json.dependencies, ...shipped() };
    delete json.files;
    json.optionalDependencies = Object.fromEntries(
      platforms.map((name) => [`${json.name}-${name}`, json.version]),
    );
  });
  return pack(dir);
}

/** The library for the machine that this runs on. */
function packPlatform(library: string): string {
  const dir = `${out}/${platform}`;
  const { name, version, license } = JSON.parse(
    readFileSync(`${root}/deno.json`, "utf8"),
  );
  mkdirSync(dir, { recursive: true });
  const file = basename(library);
  copyFileSync(library, `${dir}/${file}`);
  copyFileSync(`${root}/LICENSE`, `${dir}/LICENSE`);
  writeFileSync(
    `${dir}/index.js`,
    `import { fileURLToPath } from "node:url";\n` +
      `export const path = fileURLToPath(new URL(${
        JSON.stringify(file)
      }, import.meta.url));\n`,
  );
  const json = {
    name: `${name}-${platform}`,
    version,
    license,
    description: `Native library of ${name} for ${platform}`,
    type: "module",
    exports: "./index.js",
    os: ["linux"],
    cpu: [platform.includes("arm64") ? "arm64" : "x64"],
    libc: ["glibc"],
    preferUnplugged: true,
  };
  writeFileSync(`${dir}/package.json`, `${JSON.stringify(json, null, 2)}\n`);
  return pack(dir);
}

/** Builds both tarballs and returns their paths. */
export async function buildNpm(): Promise<{ main: string; native: string }> {
  const library = await buildLibrary();
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const main = packMain();
  const native = packPlatform(library);
  for (const dir of ["package", platform]) {
    rmSync(`${out}/${dir}`, { recursive: true });
  }
  return { main, native };
}

if (import.meta.main) {
  const { main, native } = await buildNpm();
  console.log(`${main}\n${native}`);
}
