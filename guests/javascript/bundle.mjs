// bundle.mjs DIR OUT.js NOTICE.txt: DIR/js with DIR/node_modules as one classic script, plus the licences of what is in it.
// esbuild keeps names of files relative to DIR, so that the bytes do not depend on where it stands.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const [dir, out, notice] = process.argv.slice(2);
const { build } = createRequire(join(resolve(dir), "_"))("esbuild");

// A library cannot look into a promise; the engine can.
const promises = {
  name: "promise-details",
  setup({ onLoad }) {
    onLoad({ filter: /node-inspect-extracted\/dist\/inspect\.js$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      const rejected = /constants:\{kPending:\w+,kRejected:(\w+)/.exec(text)?.[1];
      const contents = text.replace(/getPromiseDetails:\(\)=>\[(\w+),void 0\]/, `getPromiseDetails:(it)=>__native.promiseDetails(it,$1,${rejected})`);
      if (contents === text) throw new Error(`no getPromiseDetails in ${path}`);
      return { contents, loader: "js" };
    });
  },
};

const { metafile, outputFiles } = await build({
  absWorkingDir: resolve(dir),
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
  plugins: [promises],
  define: { "process.env.NODE_ENV": '"production"' },
  logLevel: "warning",
});
writeFileSync(out, `(function(__native){"use strict";${outputFiles[0].text}})`);

const names = new Set(Object.keys(metafile.inputs).flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []));
const texts = [...names].sort().map((name) => {
  const folder = join(dir, "node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  return `${name} ${version} (${license})\n\n${file ? readFileSync(join(folder, file), "utf8").trim() : ""}\n`;
});
writeFileSync(notice, texts.join(`\n${"-".repeat(72)}\n\n`));
