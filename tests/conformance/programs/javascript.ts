/** JavaScript, as an ES module with Node's names for files and the process. */
import type { Programs } from "../programs.ts";

const text = (value: unknown): string => JSON.stringify(value);
/** An expression that gives the value; in a literal, `__proto__` would mean something else. */
const literal = (value: unknown): string => `JSON.parse(${text(text(value))})`;

const fs = `import fs from "node:fs";\n`;

export const javascript: Programs = {
  print: (value) => `console.log(${text(value)});`,
  both: (out, err) =>
    `console.log(${text(out)});\nconsole.error(${text(err)});`,
  exit: (code) => `process.exit(${code});`,
  raise: (before, message) =>
    `console.log(${text(before)});\nthrow new Error(${text(message)});`,
  broken: `console.log("never");\nfunction broken( {`,
  echoStdin: `${fs}process.stdout.write(fs.readFileSync(0));`,
  env: (name) => `console.log(process.env[${text(name)}] ?? "");`,
  args: `console.log(JSON.stringify(process.argv.slice(2)));`,
  cwd: `console.log(process.cwd());`,
  rawBytes: (bytes) => `process.stdout.write(new Uint8Array(${text(bytes)}));`,
  bigOutput: (count) => `process.stdout.write("x".repeat(${count}));`,

  read: (path) =>
    `${fs}process.stdout.write(fs.readFileSync(${text(path)}, "utf8"));`,
  write: (path, value) =>
    `${fs}fs.writeFileSync(${text(path)}, ${text(value)});`,
  append: (path, value) =>
    `${fs}fs.appendFileSync(${text(path)}, ${text(value)});`,
  writeBytes: (path, count) =>
    `${fs}fs.writeFileSync(${text(path)}, new Uint8Array(${count}).fill(120));`,
  mkdir: (path) => `${fs}fs.mkdirSync(${text(path)}, { recursive: true });`,
  remove: (path) => `${fs}fs.unlinkSync(${text(path)});`,
  symlink: (target, path) =>
    `${fs}fs.symlinkSync(${text(target)}, ${text(path)});`,
  list: (path) =>
    `${fs}for (const name of fs.readdirSync(${
      text(path)
    }).sort()) console.log(name);`,
  readCaught: (path) =>
    `${fs}try { fs.readFileSync(${
      text(path)
    }); console.log("read"); } catch { console.log("refused"); }`,
  writeCaught: (path) =>
    `${fs}try { fs.appendFileSync(${
      text(path)
    }, "x"); console.log("written"); } catch { console.log("refused"); }`,

  loopForever: `for (;;) {}`,
  printThenLoop: (value) => `console.log(${text(value)});\nfor (;;) {}`,
  sleepForever: `await new Promise((wake) => setTimeout(wake, 3_600_000));`,
  memoryBomb:
    `const kept = [];\nfor (;;) kept.push(new Uint8Array(1 << 20).fill(1));`,
  memoryCaught: [
    `let kept = [];`,
    `try {`,
    `  for (;;) kept.push(new Uint8Array(1 << 20).fill(1));`,
    `} catch {`,
    `  kept = [];`,
    `  console.log("caught");`,
    `}`,
  ].join("\n"),
  outputFlood: `for (;;) console.log("x".repeat(1000));`,
  diskFill: `${fs}for (;;) fs.appendFileSync("big", new Uint8Array(65536));`,
  diskFillCaught: [
    `${fs}try {`,
    `  for (;;) fs.appendFileSync("big", new Uint8Array(65536));`,
    `} catch {`,
    `  console.log("caught");`,
    `}`,
  ].join("\n"),
  manyFiles: (count) =>
    `${fs}fs.mkdirSync("many");\nfor (let n = 0; n < ${count}; n++) fs.writeFileSync("many/" + n, "");`,
  deepRecursion: `function down(n) { return down(n + 1) + 1; }\ndown(0);`,

  setState: (name, value) => `globalThis.${name} = ${value};`,
  getState: (name) => `console.log(${name});`,
  random:
    `console.log(crypto.getRandomValues(new Uint32Array(4)).join("-"), Math.random());`,

  http: (method, url, { headers = {}, body } = {}) =>
    [
      `const headers = ${literal(headers)};`,
      "for (const name in headers) headers[name] = headers[name].replace(/\\$(\\w+)/g, (_, key) => process.env[key]);",
      `const options = { method: ${text(method)}, headers, body: ${
        text(body ?? null)
      } };`,
      `try {`,
      `  const answer = await fetch(${text(url)}, options);`,
      `  console.log(answer.status, await answer.text(), answer.headers.get("X-Answer"));`,
      `} catch (error) {`,
      `  console.log("refused", error.message);`,
      `}`,
    ].join("\n"),
  tool: (name, input) =>
    `console.log(JSON.stringify(await tools.${name}(${literal(input)})));`,
  toolCaught: (name, input) =>
    `try { console.log(JSON.stringify(await tools.${name}(${
      literal(input)
    }))); } catch (error) { console.log("caught", error.message); }`,
  toolOften: (name, count) =>
    `for (let n = 0; n < ${count}; n++) await tools.${name}({});\nconsole.log("called");`,
  toolsAtOnce: (calls) =>
    `console.log(JSON.stringify(await Promise.all([${
      calls.map(([name, input]) => `tools.${name}(${literal(input)})`).join(
        ", ",
      )
    }])));`,
};
