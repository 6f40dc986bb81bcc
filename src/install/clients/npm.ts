import type { InstallClient } from "./client.ts";

const _list = `
const { packages } = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
for (const [path, { version, integrity }] of Object.entries(packages)) {
  const name = path.slice(path.lastIndexOf("node_modules/") + 13);
  console.log([name, version, "", integrity ?? ""].join("\\t"));
}
`;

/** Packages of npm. */
export const npm: InstallClient = {
  name: "npm",
  pattern:
    /^(?!.*\.t(?:gz|ar|ar\.gz)$)((?:@[a-z0-9][a-z0-9._~-]*\/)?[a-z0-9][a-z0-9._~-]*)(?:@[A-Za-z0-9^~<>=*][A-Za-z0-9.^~<>=*+_-]*)?$/,
  example: '"left-pad" or "@scope/name@^1.2.0"',
  telling: /^npm (?:error|ERR!) (?!code|errno|syscall|A complete log)/,
  passedOn: ["NPM_CONFIG_REGISTRY", "npm_config_registry"],
  script: `
command -v npm >/dev/null || { echo "the image has no npm" >&2; exit 64; }
cd "$LIBRARIES"
npm install --prefix "$LIBRARIES" --no-save --omit=dev --no-audit --no-fund --no-update-notifier \\
  --no-progress --loglevel=error --cache "$SCRATCH/npm" -- "$@" >&2
node -e '${_list}' node_modules/.package-lock.json > "$INSTALLED"
`,
};
