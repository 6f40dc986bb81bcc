/**
 * Every TypeScript block of the documents and of the API's comments compiles; those that import the package
 * are run as well. A block that begins with "```ts no-run" is only compiled.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

interface Block {
  name: string;
  code: string;
  run: boolean;
}

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Longest time that one example may take, in ms. */
const longestMs = 120_000;

function below(folder: string, ending: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(ending) && !name.endsWith(`_test${ending}`))
    .map((name) => join(root, folder, name));
}

const documents = readdirSync(root).filter((name) => name.endsWith(".md")).map((
  name,
) => join(root, name)).concat(below("docs", ".md"), below("bench", ".md"), [
  join(root, "guests/template/README.md"),
]);

const sources = [
  join(root, "mod.ts"),
  join(root, "testing.ts"),
  ...below("src", ".ts"),
].filter(
  (file) => existsSync(file),
);

function blocksOf(file: string): Block[] {
  let text = readFileSync(file, "utf8");
  if (file.endsWith(".ts")) {
    const comments = text.match(/\/\*\*[\s\S]*?\*\//g) ?? [];
    text = comments.join("\n").replaceAll(/^ *\* ?/gm, "");
  }
  return [...text.matchAll(/^```ts( no-run)?\n([\s\S]*?)^```/gm)].map((
    match,
    number,
  ) => ({
    name: `${relative(root, file)}, example ${number + 1}`,
    code: match[2]!,
    run: !match[1] && match[2]!.includes("@mote/sandbox"),
  }));
}

function deno(
  args: string[],
  cwd: string,
): Promise<{ code: number | null; output: string }> {
  return new Promise((done, fail) => {
    const child = spawn(Deno.execPath(), args, {
      cwd,
      env: { ...Deno.env.toObject(), NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const collect = (text: string) => void (output += text);
    child.stdout.setEncoding("utf8").on("data", collect);
    child.stderr.setEncoding("utf8").on("data", collect);
    const timer = setTimeout(() => child.kill("SIGKILL"), longestMs);
    child.once("error", fail);
    child.once("close", (code) => {
      clearTimeout(timer);
      done({ code, output });
    });
  });
}

const dir = mkdtempSync(join(tmpdir(), "mote-docs-"));
after(() => rmSync(dir, { recursive: true, force: true }));

const blocks = [...documents, ...sources].flatMap(blocksOf);
const config = `--config=${join(root, "deno.json")}`;

const files = blocks.map(({ code }, number) => {
  const file = join(dir, `example_${number}.ts`);
  // A module of its own, so that two examples may use one name.
  writeFileSync(
    file,
    /^(import|export) /m.test(code) ? code : `${code}\nexport {};\n`,
  );
  return file;
});

test("there are examples", () =>
  assert.ok(blocks.length >= 3, `${blocks.length}`));

test("every example compiles", async () => {
  const { code, output } = await deno(["check", config, ...files], root);
  const named = blocks.reduce(
    (text, { name }, number) =>
      text.replaceAll(`file://${files[number]}`, name),
    output,
  );
  assert.equal(code, 0, named);
});

blocks.forEach(({ name, run }, number) => {
  if (!run) return;
  test(`runs: ${name}`, async () => {
    const { code, output } = await deno([
      "run",
      "-A",
      "--quiet",
      config,
      files[number]!,
    ], dir);
    assert.equal(code, 0, output);
  });
});
