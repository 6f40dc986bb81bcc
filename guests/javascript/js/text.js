import { define, native } from "./native.js";

const kinds = { "utf-8": 0, "utf-16le": 1, "utf-16be": 2, "windows-1252": 3 };
const labels = {
  "utf-8": "utf-8 utf8 unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8",
  "utf-16le": "utf-16le utf-16 ucs-2 unicode iso-10646-ucs-2 csunicode unicodefeff",
  "utf-16be": "utf-16be unicodefffe",
  "windows-1252": "windows-1252 latin1 ascii us-ascii iso-8859-1 iso8859-1 iso88591 iso_8859-1 l1 cp1252 cp819 x-cp1252 ansi_x3.4-1968",
};
const byLabel = new Map(Object.entries(labels).flatMap(([name, all]) => all.split(" ").map((label) => [label, name])));

export function bytesOf(source) {
  if (source === undefined) return new Uint8Array(0);
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  if (source instanceof ArrayBuffer || source instanceof SharedArrayBuffer) return new Uint8Array(source);
  throw new TypeError("The input must be an ArrayBuffer or a view of one");
}

class TextEncoder {
  get encoding() {
    return "utf-8";
  }
  encode(input = "") {
    return native.encode(`${input}`);
  }
  encodeInto(source, destination) {
    const [read, written] = native.encodeInto(`${source}`, destination);
    return { read, written };
  }
}

class TextDecoder {
  #encoding;
  #fatal;
  #ignoreBOM;
  #rest = null;
  #started = false;
  constructor(label = "utf-8", { fatal = false, ignoreBOM = false } = {}) {
    this.#encoding = byLabel.get(`${label}`.trim().toLowerCase());
    if (!this.#encoding) throw new RangeError(`The "${label}" encoding is not supported`);
    this.#fatal = Boolean(fatal);
    this.#ignoreBOM = Boolean(ignoreBOM);
  }
  get encoding() {
    return this.#encoding;
  }
  get fatal() {
    return this.#fatal;
  }
  get ignoreBOM() {
    return this.#ignoreBOM;
  }
  decode(input, { stream = false } = {}) {
    let bytes = bytesOf(input);
    if (this.#rest) {
      const joined = new Uint8Array(this.#rest.length + bytes.length);
      joined.set(this.#rest);
      joined.set(bytes, this.#rest.length);
      bytes = joined;
      this.#rest = null;
    }
    let [text, left] = native.decode(kinds[this.#encoding], bytes, this.#fatal, stream);
    if (left) this.#rest = bytes.slice(bytes.length - left);
    if (!this.#started && text) {
      if (!this.#ignoreBOM && this.#encoding !== "windows-1252" && text.charCodeAt(0) === 0xfeff) text = text.slice(1);
      this.#started = true;
    }
    if (!stream) this.#started = false;
    return text;
  }
}

define({ TextEncoder, TextDecoder });
