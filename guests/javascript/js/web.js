import "core-js/modules/web.url.js";
import "core-js/modules/web.url.can-parse.js";
import "core-js/modules/web.url.parse.js";
import "core-js/modules/web.url.to-json.js";
import "core-js/modules/web.url-search-params.js";
import "core-js/modules/web.url-search-params.delete.js";
import "core-js/modules/web.url-search-params.has.js";
import "core-js/modules/web.url-search-params.size.js";
import "core-js/modules/web.structured-clone.js";
import "./abort.js";
import { Buffer } from "buffer/";
import { define, native } from "./native.js";

const bytes16 = new Uint8Array(16);
const hex = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));
const integers = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, BigInt64Array, BigUint64Array];

export const crypto = {
  getRandomValues(array) {
    if (!integers.some((type) => array instanceof type)) {
      throw new DOMException("getRandomValues() takes an integer typed array", "TypeMismatchError");
    }
    if (array.byteLength > 65_536) {
      throw new DOMException(`getRandomValues() gives at most 65536 bytes a call, asked for ${array.byteLength}`, "QuotaExceededError");
    }
    if (array.byteLength) native.random(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
    return array;
  },
  randomUUID() {
    native.random(bytes16);
    bytes16[6] = (bytes16[6] & 0x0f) | 0x40;
    bytes16[8] = (bytes16[8] & 0x3f) | 0x80;
    let text = "";
    for (let i = 0; i < 16; i++) text += (i === 4 || i === 6 || i === 8 || i === 10 ? "-" : "") + hex[bytes16[i]];
    return text;
  },
};
Object.defineProperty(crypto, Symbol.toStringTag, { value: "Crypto", configurable: true });

define({ crypto, Buffer });
