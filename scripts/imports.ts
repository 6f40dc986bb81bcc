/**
 * Fails on an import that goes against the layers of ARCHITECTURE.md, on a cycle,
 * and on a module that does work when it is imported.
 */
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Layers from the top; a module imports from its own folder or from a layer below. */
const layers: readonly { name: string; has: RegExp }[] = [
  { name: "cli", has: /^src\/cli\// },
  { name: "entry", has: /^(mod|testing)\.ts$/ },
  { name: "pool", has: /^src\/pool\// },
  {
    name: "session",
    has:
      /^src\/(session|live_session|opened|ground|installing|reach|memory_session|run|stream|opening|outside|program|support|guard|artifacts|tool_calls)\.ts$/,
  },
  {
    name: "parts",
    has:
      /^src\/(policy|languages(?!\/language\.ts)|guests|install|files|egress|backends(?!\/backend\.ts))\//,
  },
  {
    name: "waist",
    has: /^src\/(backends\/backend|languages\/language)\.ts$/,
  },
  { name: "ffi", has: /^ffi\// },
  {
    name: "base",
    has:
      /^src\/(options|limits|check|security_policy|tools|result|errors|rights|host|host_error|cache|output|progress|flights|linux_guest|zeros)\.ts$/,
  },
];

/** What may be named in one place only. */
const places: readonly { what: RegExp; only: RegExp; name: string }[] = [
  {
    what: /\bDeno\.dlopen\b/,
    // A policy names what it is about.
    only: /^(ffi\/deno|src\/policy\/presets)\.ts$/,
    name: "Deno.dlopen",
  },
  { what: /["']koffi["']/, only: /^ffi\/koffi\.ts$/, name: "koffi" },
  { what: /["']commander["']/, only: /^src\/cli\//, name: "commander" },
  {
    what: /["'](@kubernetes\/client-node|ws)["']/,
    only: /^src\/backends\/container\/kubernetes\//,
    name: "a client of Kubernetes",
  },
  {
    what: /["'](dockerode|tar-stream|@balena\/dockerignore)["']/,
    only: /^src\/backends\/container\/docker\//,
    name: "a client of container engines",
  },
  {
    what: /\bDeno\./,
    only: /^(ffi\/deno|src\/host|src\/policy\/presets)\.ts$/,
    name: "Deno",
  },
  {
    what: /from ["'](zod|fast-check|ajv)/,
    only: /^$/,
    name: "a package for tests",
  },
  {
    what: /^\s*(await )?using \w+ =/m,
    only: /^$/,
    name: "`using`, which Node 20 cannot parse,",
  },
];

interface Import {
  to: string;
  typeOnly: boolean;
  lazy: boolean;
}

function sources(): string[] {
  const inside = (folder: string) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .map((file) => `${folder}/${file.replaceAll("\\", "/")}`);
  return ["mod.ts", "testing.ts", ...inside("src"), ...inside("ffi")]
    .filter((file) => file.endsWith(".ts") && !file.endsWith("_test.ts"))
    .sort();
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[^]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

function importsOf(file: string, text: string): Import[] {
  const found: Import[] = [];
  const add = (specifier: string, typeOnly: boolean, lazy: boolean) => {
    if (!specifier.startsWith(".")) return;
    const to = relative(root, join(root, dirname(file), specifier));
    found.push({ to: to.replaceAll("\\", "/"), typeOnly, lazy });
  };
  const fixed =
    /^(?:import|export)\s+(type\s)?(?:[^;"']*?\sfrom\s+)?["']([^"']+)["']/gm;
  for (const [, type, to] of text.matchAll(fixed)) add(to!, !!type, false);
  for (const [, to] of text.matchAll(/import\(\s*["']([^"']+)["']/g)) {
    add(to!, false, true);
  }
  return found;
}

const layerOf = (file: string) => layers.findIndex(({ has }) => has.test(file));
const partOf = (file: string) => /^src\/([^/]+)\//.exec(file)?.[1] ?? file;

function arrowFault(from: string, to: string): string | undefined {
  const [above, below] = [layerOf(from), layerOf(to)];
  if (below < 0) return `${to} has no layer`;
  const [upper, lower] = [layers[above]!.name, layers[below]!.name];
  if (lower === "ffi" && upper !== "ffi") {
    return from.startsWith("src/backends/native/")
      ? undefined
      : "only backends/native may import ffi";
  }
  if (below < above) return `${upper} may not import ${lower}`;
  if (below > above || upper !== "parts") return undefined;
  return partOf(from) === partOf(to)
    ? undefined
    : `${partOf(from)} may not import ${partOf(to)}`;
}

function cycle(graph: Map<string, Import[]>): string[] | undefined {
  const finished = new Set<string>();
  const walk = (file: string, path: string[]): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (finished.has(file)) return undefined;
    for (const { to, typeOnly, lazy } of graph.get(file) ?? []) {
      if (typeOnly || lazy) continue;
      const found = walk(to, [...path, file]);
      if (found) return found;
    }
    finished.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const found = walk(file, []);
    if (found) return found;
  }
  return undefined;
}

/** Imports every module where nothing is permitted and no work can be begun. */
function workAtLoad(files: readonly string[]): string | undefined {
  const dir = mkdtempSync(join(tmpdir(), "mote-imports-"));
  try {
    const guard = join(dir, "guard.ts");
    const names = ["setTimeout", "setInterval", "fetch", "Worker", "WebSocket"];
    writeFileSync(
      guard,
      `for (const name of ${JSON.stringify(names)}) {
        (globalThis as Record<string, unknown>)[name] = () => {
          throw new Error(name + " was called at load");
        };
      }`,
    );
    const main = join(dir, "main.ts");
    const lines = [guard, ...files.map((file) => join(root, file))]
      .map((file) => `import ${JSON.stringify(pathToFileURL(file).href)};`);
    writeFileSync(main, lines.join("\n"));
    const config = join(root, "deno.json");
    const args = ["run", "--no-prompt", "--no-check", "--config", config, main];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      encoding: "utf8",
      timeout: 60_000,
      env: { ...process.env, NO_COLOR: "1" },
    });
    if (status === 0 && stdout === "") return undefined;
    return `a module does work at load:\n${stdout}${stderr}`;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

const faults: string[] = [];
const graph = new Map<string, Import[]>();
const files = sources();
for (const file of files) {
  const text = withoutComments(readFileSync(join(root, file), "utf8"));
  if (layerOf(file) < 0) faults.push(`${file}: has no layer`);
  for (const { what, only, name } of places) {
    if (what.test(text) && !only.test(file)) {
      faults.push(`${file}: ${name} does not belong here`);
    }
  }
  const imports = importsOf(file, text);
  graph.set(file, imports);
  if (layerOf(file) < 0) continue;
  for (const { to } of imports) {
    const fault = arrowFault(file, to);
    if (fault) faults.push(`${file} → ${to}: ${fault}`);
  }
}
const round = cycle(graph);
if (round) faults.push(`a cycle: ${round.join(" → ")}`);
const work = workAtLoad(files);
if (work) faults.push(work);
for (const fault of faults) console.error(fault);
console.log(`${files.length} modules, ${faults.length} faults`);
process.exitCode = faults.length ? 1 : 0;
