import assert from "node:assert/strict";
import { test } from "node:test";
import { SandboxError } from "../../errors.ts";
import { apt } from "./apt.ts";
import { byName, type InstallClient } from "./client.ts";
import { cran } from "./cran.ts";
import { gem } from "./gem.ts";
import { go } from "./go.ts";
import { maven } from "./maven.ts";
import { npm } from "./npm.ts";

const known: readonly [InstallClient, Readonly<Record<string, string>>][] = [
  [npm, {
    "left-pad": "left-pad",
    "left-pad@1.3.0": "left-pad",
    "is-odd@^3": "is-odd",
    "is-odd@>=3": "is-odd",
    "is-odd@latest": "is-odd",
    "@types/node@20": "@types/node",
    "lodash.get": "lodash.get",
  }],
  [maven, {
    "org.apache.commons:commons-lang3:3.12.0":
      "org.apache.commons:commons-lang3",
  }],
  [apt, {
    jq: "jq",
    "g++": "g++",
    "libssl-dev=3.0.11-1~deb12u2": "libssl-dev",
    "python3.11": "python3.11",
  }],
  [go, {
    "github.com/google/uuid": "github.com/google/uuid",
    "golang.org/x/text@v0.3.8": "golang.org/x/text",
    "gopkg.in/yaml.v3@latest": "gopkg.in/yaml.v3",
    "example.com/a/v2/b@v2.0.0-20200101000000-abcdefabcdef":
      "example.com/a/v2/b",
  }],
  [gem, {
    rainbow: "rainbow",
    "rainbow:3.1.1": "rainbow",
    "google-protobuf": "google-protobuf",
  }],
  [cran, { R6: "R6", "data.table": "data.table" }],
];

const hostile = [
  "",
  " ",
  "-",
  "--help",
  "-g",
  "--registry=https://example.com",
  "../up",
  "./here",
  "/etc",
  "~/x",
  "a b",
  "a;id",
  "a$(id)",
  "a`id`",
  "a|b",
  "a&b",
  "a\nb",
  "a\0b",
  "a'b",
  'a"b',
  "https://example.com/x.tgz",
  "git+ssh://git@example.com/x",
  "file:x",
  "npm:other@1",
  "x@npm:other@1",
  "x@file:../y",
  "x@https://example.com/x.tgz",
  "x@git+https://example.com/x",
  "user/repo",
  "x@user/repo",
  "github:user/repo",
  "x@-rf",
  "a*",
  "a?",
  "a/b/../c",
  "example.com/../x",
  "example.com/x@-flag",
  "example.com/./x",
  "x:>=1",
  "g:a:1</version>",
  "g:a:[1,2)",
  "g:a:${env}",
  "g:a",
  "@scope",
  "@/x",
  "x".repeat(300),
];

for (const [client, names] of known) {
  test(`${client.name} takes what its users write`, () => {
    for (const [text, name] of Object.entries(names)) {
      assert.deepEqual([...byName(client, [text])], [[name, text]]);
    }
  });

  test(`${client.name} takes no options, paths, addresses and shell words`, () => {
    for (const text of hostile) {
      assert.throws(() => byName(client, [text]), (error: unknown) => {
        assert.ok(error instanceof SandboxError, `${text} was taken`);
        assert.equal(error.code, "INVALID_OPTION");
        return true;
      }, `${JSON.stringify(text)} was taken`);
    }
  });
}

test("what only one client would take for something else", () => {
  for (
    const [client, text] of [
      [apt, "libx-"],
      [gem, "x.gem"],
      [npm, "x.tgz"],
      [npm, "x@y.tar.gz"],
    ] as const
  ) assert.throws(() => byName(client, [text]), { code: "INVALID_OPTION" });
});

test("a later version takes the place of an earlier one", () => {
  const names = byName(npm, ["a@1", "b", "a@2"]);
  assert.deepEqual([...names.values()], ["a@2", "b"]);
});

test("no pattern takes long", () => {
  const began = performance.now();
  for (const [{ pattern }] of known) {
    for (const part of ["a", "a.", "a/", "a-", "@a/", "a:", "a@", "a.a/"]) {
      pattern.test(part.repeat(100).slice(0, 214));
      pattern.test(part.repeat(100).slice(0, 213) + "!");
    }
  }
  assert.ok(performance.now() - began < 5_000);
});
