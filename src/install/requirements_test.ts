import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseRequirement } from "./requirements.ts";

test("names with extras and versions", () => {
  for (
    const [text, name, whole] of [
      ["humanize", "humanize", "humanize"],
      ["Markdown_It.Py", "markdown-it-py", "markdown-it-py"],
      [
        " rich[jupyter, x] >= 13, < 14 ",
        "rich",
        "rich[jupyter,x]>=13,<14",
      ],
      ["a==1.*", "a", "a==1.*"],
      ["a~=1.0rc1", "a", "a~=1.0rc1"],
    ]
  ) assert.deepEqual(parseRequirement(text!), { name, text: whole });
});

test("options, paths, URLs and markers are none", () => {
  for (
    const text of [
      "",
      "-r x",
      "--index-url=x",
      ".",
      "./x",
      "/x",
      "a/b",
      "file:x",
      "git+https://h/x",
      "a @ https://h/x.whl",
      "a; python_version<'3'",
      "a b",
      "a\n--pre",
      "a==1 --pre",
      "é",
      "a".repeat(300),
    ]
  ) assert.throws(() => parseRequirement(text), { code: "INVALID_OPTION" });
});

test("whatever is accepted is one word that is no option", () => {
  fc.assert(fc.property(
    fc.stringMatching(/^[-a-z.\[\]=<>~!,; /@:\n0-9]{0,12}$/),
    (text) => {
      let parsed;
      try {
        parsed = parseRequirement(text);
      } catch {
        return;
      }
      assert.match(parsed.text, /^[a-z0-9][^\s/;@:]*$/);
    },
  ));
});
