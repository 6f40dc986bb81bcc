import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { OutputChannel, OutputText } from "./output.ts";

test("text is whole however the bytes were cut, and the bytes are kept", () => {
  fc.assert(fc.property(
    fc.string({ unit: "binary" }),
    fc.uint8Array({ maxLength: 5 }),
    fc.array(fc.nat({ max: 7 })),
    (text, noise, cuts) => {
      const bytes = new Uint8Array([
        ...new TextEncoder().encode(text),
        ...noise,
      ]);
      const output = new OutputText();
      let seen = "";
      let at = 0;
      for (const cut of [...cuts, bytes.length]) {
        const part = bytes.slice(at, at + cut);
        seen += output.next("stdout", part).text;
        at += cut;
      }
      for (const { text } of output.end()) seen += text;
      const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
      assert.equal(seen, decoder.decode(bytes));
      assert.deepEqual(output.all("stdout"), bytes);
      assert.equal(output.all("stderr").length, 0);
    },
  ));
});

const chunk = (text: string) => ({
  stream: "stdout" as const,
  text,
  bytes: new Uint8Array(0),
});

test("a push is over when its chunk was taken", async () => {
  const channel = new OutputChannel();
  const order: string[] = [];
  const push = Promise.resolve(channel.push(chunk("a")))
    .then(() => order.push("pushed"));
  assert.equal((await channel.take())?.text, "a");
  await push;
  assert.deepEqual(order, ["pushed"]);
  channel.end();
  assert.equal(await channel.take(), undefined);
});

test("an end wakes who waits, and drop lets go of who pushes", async () => {
  const channel = new OutputChannel();
  const waiting = channel.take();
  channel.end();
  assert.equal(await waiting, undefined);
  const other = new OutputChannel();
  const push = other.push(chunk("a"));
  other.drop();
  await push;
  assert.equal(other.push(chunk("b")), undefined);
});
