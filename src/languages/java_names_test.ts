import assert from "node:assert/strict";
import { test } from "node:test";
import { javaNames } from "./java_names.ts";

const main = "public static void main(String[] args) {}";

for (
  const [code, file, name] of [
    [`public class Main { ${main} }`, "Main.java", "Main"],
    [`public class Hello { ${main} }`, "Hello.java", "Hello"],
    [`class Hello { ${main} }`, "Main.java", "Hello"],
    [
      `record P(int a) {}\ninterface S { void main2(); }\npublic final class App { ${main} }`,
      "App.java",
      "App",
    ],
    [`public class Lib {}\nclass Run { ${main} }`, "Lib.java", "Run"],
    [
      `package com.acme . demo;\npublic class Hello { ${main} }`,
      "Hello.java",
      "com.acme.demo.Hello",
    ],
    [
      `// public class Wrong { ${main} }\n/* class A { */ public class Right { String s = "} class B { main("; char c = '}'; ${main} }`,
      "Right.java",
      "Right",
    ],
    [
      `class A { String s = """\n } class X { "quoted" main( \\""" """; class Inner { ${main} } }\nclass B { ${main} }`,
      "Main.java",
      "B",
    ],
    [`public enum E { A; ${main} }`, "E.java", "E"],
    [`void main() { IO.println("hi"); }`, "Main.java", "Main"],
    [
      `record P(int a) {}\nvoid main() { IO.println(new P(1)); }`,
      "Main.java",
      "Main",
    ],
    [`class Größe { ${main} }`, "Main.java", "Größe"],
    [`public class A { }`, "A.java", "A"],
    ["", "Main.java", "Main"],
    ["}}}} not java {{{{", "Main.java", "Main"],
  ] as const
) {
  test(`names of ${JSON.stringify(code.slice(0, 60))}`, () =>
    assert.deepEqual(javaNames(code), { file, main: name }));
}

test("a file's name is never more than a name", () => {
  for (
    const code of [
      "public class ../../etc { }",
      "public class A/B {}",
      `public class ${"x".repeat(10_000)} {}`,
      `package ../x; public class A {}`,
    ]
  ) {
    const names = javaNames(code);
    assert.match(names.file, /^[\p{L}\p{N}_$]{1,100}\.java$/u);
    assert.match(names.main, /^[\p{L}\p{N}_$.]{1,600}$/u);
  }
});

test("no program takes long to read", () => {
  const began = performance.now();
  for (
    const part of [
      "class A { main( ",
      "class A ",
      "void main( ",
      "/* ",
      '"\\"',
      '"""',
      '\\"""',
      "'\\'",
      "@a ",
      "package a ",
      "class \n\n ",
      "\\",
    ]
  ) javaNames(part.repeat(1_000_000 / part.length));
  assert.ok(performance.now() - began < 20_000);
});
