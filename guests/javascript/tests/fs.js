import fs, { readFileSync, writeFileSync } from "fs";
import * as star from "node:fs";
import { readFile, writeFile, mkdir, readdir, stat, rm } from "node:fs/promises";
import path from "node:path";
import { join } from "path";
console.log(star.default === fs, fs.promises.readFile === readFile, process.cwd());
writeFileSync("a.txt", "héllo\n");
fs.appendFileSync("a.txt", new TextEncoder().encode("more\n"));
console.log(readFileSync("a.txt", "utf8"), readFileSync("/sandbox/a.txt", { encoding: "utf8" }).length);
const bytes = readFileSync(new URL("file:///sandbox/a.txt"));
console.log(bytes instanceof Uint8Array, bytes.length, bytes.toString().length, `${bytes}`.slice(0, 3), bytes);
console.log(fs.existsSync("a.txt"), fs.existsSync("no"), fs.existsSync(undefined));
fs.mkdirSync("d/e/f", { recursive: true });
console.log(fs.mkdirSync("d/e/f", { recursive: true }));
fs.writeFileSync("d/x.json", JSON.stringify({ n: 1 }));
fs.writeFileSync("d/e/y.txt", "y");
console.log(fs.readdirSync("d"), fs.readdirSync("d", { recursive: true }));
console.log(fs.readdirSync("d", { withFileTypes: true }).map((entry) => [entry.name, entry.isDirectory(), entry.isFile(), entry.parentPath]));
const stats = fs.statSync("a.txt");
console.log(stats.size, stats.isFile(), stats.isDirectory(), fs.statSync("d").isDirectory(), stats.mtime instanceof Date, stats.mtimeMs > 0);
console.log(fs.statSync("no", { throwIfNoEntry: false }));
fs.renameSync("a.txt", "d/b.txt");
fs.copyFileSync("d/b.txt", "c.txt");
fs.cpSync("d", "copy", { recursive: true });
console.log(fs.readdirSync("."), fs.readdirSync("copy"));
fs.symlinkSync("c.txt", "link");
console.log(fs.readlinkSync("link"), fs.lstatSync("link").isSymbolicLink(), fs.statSync("link").isFile(), readFileSync("link", "utf8").length, fs.realpathSync("link"));
fs.unlinkSync("link");
fs.truncateSync("c.txt", 2);
console.log(fs.statSync("c.txt").size);
for (const bad of [
  () => readFileSync("no"), () => readFileSync("d"), () => fs.mkdirSync("d"), () => fs.rmSync("d"), () => fs.rmdirSync("d"), () => fs.rmSync("no"),
  () => writeFileSync("no/such/x", ""), () => fs.readdirSync("c.txt"), () => writeFileSync("x", 5), () => readFileSync("a\0b"), () => fs.accessSync("no"), () => fs.openSync("no"),
]) {
  try {
    bad();
    console.log("no error", bad);
  } catch (error) {
    console.log(error.code, error.message, error.syscall, error.path);
  }
}
fs.rmSync("no", { force: true });
fs.rmSync("d", { recursive: true });
console.log(fs.existsSync("d"));
const fd = fs.openSync("fd.bin", "w+");
fs.writeSync(fd, "hello");
fs.writeSync(fd, new Uint8Array([33]), 0, 1, 0);
const buffer = new Uint8Array(8);
console.log(fs.readSync(fd, buffer, 0, 8, 0), buffer, fs.fstatSync(fd).size);
fs.closeSync(fd);
await mkdir("p");
await writeFile("p/q", "promised");
console.log(await readFile("p/q", "utf8"), await readdir("p"), (await stat("p/q")).size);
await readFile("p/none").catch((error) => console.log(error.code));
await rm("p", { recursive: true, force: true });
await new Promise((done) => fs.readFile("c.txt", "utf8", (error, text) => done(console.log(error, text))));
await new Promise((done) => fs.readFile("none", (error) => done(console.log(error.code))));
console.log(path.join("a", "..", "b"), path.resolve("x"), path.basename("/q/r.tar.gz", ".gz"), path.extname("r.gz"), path.parse("/a/b.c"), join("x", "y"), path.relative("/a/b", "/a/c"), path.sep);
writeFileSync("/tmp/t", "t");
console.log(readFileSync("/tmp/t", "utf8"));
fs.writeFileSync("b64", "aGk=", "base64");
console.log(readFileSync("b64", "utf8"), readFileSync("b64", "hex"), readFileSync("b64", "latin1"));
