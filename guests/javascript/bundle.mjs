// bundle.mjs NODE_MODULES OUT.js NOTICE.txt: one classic script, plus the licences of what is in it.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const [modules, out, notice] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const { build } = createRequire(join(resolve(modules), "_"))("esbuild");

const { metafile, outputFiles } = await build({
  absWorkingDir: here,
  entryPoints: ["js/main.js"],
  bundle: true,
  write: false,
  metafile: true,
  format: "iife",
  platform: "neutral",
  mainFields: ["module", "main"],
  conditions: ["import", "default"],
  target: "es2024",
  minifySyntax: true,
  minifyWhitespace: true,
  charset: "utf8",
  legalComments: "none",
  nodePaths: [resolve(modules)],
  define: { "process.env.NODE_ENV": '"production"' },
  logLevel: "warning",
});
writeFileSync(out, `(function(__native){"use strict";${outputFiles[0].text}})`);

const names = new Set(Object.keys(metafile.inputs).flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []));
const texts = [...names].sort().map((name) => {
  const folder = join(modules, name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  return `${name} ${version} (${license})\n\n${file ? readFileSync(join(folder, file), "utf8").trim() : ""}\n`;
});
writeFileSync(notice, texts.join(`\n${"-".repeat(72)}\n\n`));
