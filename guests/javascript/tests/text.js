const encoder = new TextEncoder();
console.log(encoder.encoding, encoder.encode("aé€🎉"), encoder.encode(), encoder.encode("\uD800x"));
const into = new Uint8Array(6);
console.log(encoder.encodeInto("a€🎉", into), into);
const decoder = new TextDecoder();
console.log(decoder.encoding, decoder.fatal, decoder.ignoreBOM);
console.log(decoder.decode(new Uint8Array([97, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x8e, 0x89])));
console.log(JSON.stringify(decoder.decode(new Uint8Array([0xff, 97, 0xe2, 0x82, 98, 0xf0, 0x9f]))));
console.log(JSON.stringify(decoder.decode(new Uint8Array([0xed, 0xa0, 0x80, 0xc0, 0x80]))));
console.log(decoder.decode(new Uint8Array([0xef, 0xbb, 0xbf, 97])).length, new TextDecoder("utf-8", { ignoreBOM: true }).decode(new Uint8Array([0xef, 0xbb, 0xbf, 97])).length);
try {
  new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array([0xff]));
} catch (error) {
  console.log(error.name, error.message);
}
const streamed = new TextDecoder();
console.log([0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x8e, 0x89].map((byte) => streamed.decode(new Uint8Array([byte]), { stream: true })), JSON.stringify(streamed.decode()));
const cut = new TextDecoder();
console.log(JSON.stringify(cut.decode(new Uint8Array([0xe2, 0x82]), { stream: true })), JSON.stringify(cut.decode()));
console.log(new TextDecoder("utf-16le").decode(new Uint16Array([0x61, 0x20ac, 0xd83c, 0xdf89])), new TextDecoder("utf-16be").decode(new Uint8Array([0, 97])));
console.log(JSON.stringify(new TextDecoder("utf-16le").decode(new Uint8Array([0x00, 0xd8, 0x61, 0x00, 0x62]))));
console.log(new TextDecoder("latin1").encoding, new TextDecoder("latin1").decode(new Uint8Array([0xe9, 0x80])), new TextDecoder(" UTF8 ").encoding);
console.log(decoder.decode(new Uint8Array([97, 98, 99]).buffer), decoder.decode(new DataView(new Uint8Array([97, 98, 99]).buffer, 1)), JSON.stringify(decoder.decode()));
for (const bad of [() => new TextDecoder("nope"), () => decoder.decode("text")]) {
  try {
    bad();
  } catch (error) {
    console.log(error.name, error.message);
  }
}
console.log(decoder.decode(encoder.encode("x".repeat(100_000))).length);
