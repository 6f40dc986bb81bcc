import util, { inspect, format, promisify } from "node:util";
import { EventEmitter, once } from "node:events";
import { Buffer } from "node:buffer";
import { fileURLToPath, pathToFileURL } from "node:url";
import { createRequire } from "node:module";
import { randomUUID, randomBytes } from "node:crypto";
import os from "os";
import { performance as p } from "node:perf_hooks";
console.log(inspect({ a: { b: { c: {} } } }, { depth: 0 }), format("%s-%d", "x", 5), await promisify((x, done) => done(null, x + 1))(1), util.inspect === inspect);
console.log(typeof EventEmitter, randomUUID().length, randomBytes(4).length, JSON.stringify(os.EOL), p === performance);
const emitter = new EventEmitter();
setTimeout(() => emitter.emit("ready", 5), 1);
console.log(await once(emitter, "ready"));
console.log(Buffer.from("hello").toString("base64"), Buffer.from("aGk=", "base64").toString(), Buffer.concat([Buffer.from([1]), Buffer.from([2])]), Buffer.byteLength("é"), globalThis.Buffer === Buffer);
console.log(fileURLToPath("file:///sandbox/a%20b"), pathToFileURL("/a b?#").href);
const require2 = createRequire(import.meta.url);
console.log(require2("./common.cjs"), require("fs") === (await import("fs")).default, require("./common.cjs") === require2("./common"), require("./data.json"));
try {
  require("lodash");
} catch (error) {
  console.log(error.code, error.message.slice(0, 80));
}
