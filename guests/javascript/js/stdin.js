// process.stdin: `for await`, the data and end events, read() and setEncoding().
import { EventEmitter } from "events/";
import { Buffer } from "buffer/";
import { native } from "./native.js";

const CHUNK = 65_536;

function next(self) {
  const chunk = Buffer.alloc(CHUNK);
  const n = native.read(0, chunk, null);
  if (!n) {
    const rest = self.decoder ? self.decoder.decode() : "";
    self.readableEnded = true;
    return rest || null;
  }
  const bytes = chunk.subarray(0, n);
  return self.decoder ? self.decoder.decode(bytes, { stream: true }) : bytes;
}

class Stdin extends EventEmitter {
  fd = 0;
  isTTY = false;
  readable = true;
  readableEnded = false;
  decoder = null;
  flowing = false;
  setEncoding(encoding = "utf8") {
    this.decoder = new TextDecoder(encoding);
    return this;
  }
  on(name, listener) {
    super.on(name, listener);
    if (name === "data") this.resume();
    if (name === "readable") setImmediate(() => this.emit("readable"));
    return this;
  }
  addListener(name, listener) {
    return this.on(name, listener);
  }
  read() {
    if (this.readableEnded) return null;
    const chunk = next(this);
    if (chunk === null) setImmediate(() => this.emit("end"));
    else setImmediate(() => this.emit("readable"));
    return chunk;
  }
  resume() {
    if (this.flowing || this.readableEnded) return this;
    this.flowing = true;
    const pump = () => {
      if (!this.flowing) return;
      const chunk = next(this);
      if (chunk !== null) this.emit("data", chunk);
      if (!this.readableEnded) return void setImmediate(pump);
      this.flowing = false;
      this.emit("end");
      this.emit("close");
    };
    setImmediate(pump);
    return this;
  }
  pause() {
    this.flowing = false;
    return this;
  }
  ref() {
    return this;
  }
  unref() {
    return this;
  }
  async *[Symbol.asyncIterator]() {
    while (!this.readableEnded) {
      const chunk = next(this);
      if (chunk !== null) yield chunk;
    }
  }
}

export const stdin = new Stdin();

/** Lines of process.stdin, for the readline module. */
export async function* lines(input) {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of input) {
    const parts = (rest + (typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true }))).split(/\r?\n/);
    rest = parts.pop();
    yield* parts;
  }
  if (rest) yield rest;
}
