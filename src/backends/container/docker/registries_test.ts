import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { authFor } from "./registries.ts";
import type { Surroundings } from "./surroundings.ts";

const auth = Buffer.from("user:word:more").toString("base64");

function login(image: string, auths: Record<string, unknown>) {
  const machine = {
    env: () => undefined,
    home: "/home/u",
    read: (file: string) =>
      file === "/home/u/.docker/config.json"
        ? JSON.stringify({ auths })
        : undefined,
  };
  return authFor(image, machine as unknown as Surroundings);
}

test("the login of an image's registry is taken, and of no other", () => {
  const auths = {
    "https://index.example.test/v1/": { auth },
    "own.test:5000": { auth },
  };
  assert.deepEqual(login("own.test:5000/a:1", auths), {
    username: "user",
    password: "word:more",
    serveraddress: "own.test:5000",
  });
  assert.equal(login("other.test/a", auths), undefined);
  const plain = login("python:3", auths);
  assert.equal(plain?.serveraddress, "https://index.example.test/v1/");
  assert.equal(login("python:3", { "own.test": { auth } }), undefined);
});

test("what is no file of logins is none", () => {
  assert.equal(login("own.test/a", { "own.test": { auth: "!" } }), undefined);
  assert.equal(login("own.test/a", { "own.test": null }), undefined);
});
