import assert from "node:assert/strict";
import { test } from "node:test";
import { SandboxError } from "../errors.ts";
import type { SecurityPolicyOption } from "../security_policy.ts";
import { compilePolicy } from "./policy.ts";

async function look(
  policy: SecurityPolicyOption,
  code: string | Uint8Array,
  language = "python",
) {
  return await (await compilePolicy(policy, language)).check(code);
}

/** What was found, short. */
async function found(
  policy: SecurityPolicyOption,
  code: string | Uint8Array,
  language = "python",
): Promise<string[]> {
  const { violations } = await look(policy, code, language);
  return violations.map(({ rule, name, line }) => `${rule} ${name} ${line}`);
}

const os = { restrictedModules: [{ name: "os" }] };

test("a finding says where it is and what to do", async () => {
  const policy = {
    restrictedModules: [{
      name: "os",
      description: "os reaches the system",
      severity: "medium" as const,
      alternatives: ["pathlib", "shutil"],
    }],
  };
  const { safe, violations } = await look(policy, "x = 1\nimport sys, os  # y");
  assert.equal(safe, false);
  assert.deepEqual(violations, [{
    rule: "restricted-module",
    name: "os",
    message: "os reaches the system",
    severity: "medium",
    blocks: true,
    line: 2,
    column: 13,
    excerpt: "import sys, os  # y",
    hint: "Use pathlib or shutil.",
  }]);
});

test("every finding is reported, not the first alone", async () => {
  const code = "import os\nimport sys\nfrom os import path\neval(input())";
  assert.deepEqual(await found(os, code), [
    "restricted-module os 1",
    "restricted-module os 3",
    "dynamic eval 4",
  ]);
});

test("the threshold decides what blocks, and the rest is reported", async () => {
  const modules = (severity: "safe" | "low" | "medium" | "high") => [
    { name: "os", severity },
  ];
  const order = ["safe", "low", "medium", "high"] as const;
  for (const severityThreshold of order) {
    for (const severity of order) {
      const { safe, violations } = await look(
        { restrictedModules: modules(severity), severityThreshold },
        "import os",
      );
      const blocks = severityThreshold !== "safe" && severity !== "safe" &&
        order.indexOf(severity) >= order.indexOf(severityThreshold);
      assert.equal(safe, !blocks, `${severity} under ${severityThreshold}`);
      assert.equal(violations[0]!.blocks, blocks);
    }
  }
});

test("only allowed modules may be used where there are some", async () => {
  const policy = { allowedModules: ["math", "os.path", "numpy"] };
  const code =
    "import math, json\nimport os.path\nimport os\nfrom numpy.linalg import inv\nfrom . import x";
  assert.deepEqual(await found(policy, code), [
    "module-not-allowed json 1",
    "module-not-allowed os 3",
    "module-not-allowed .x 5",
  ]);
  assert.deepEqual(await found({ allowedModules: [] }, "import math"), [
    "module-not-allowed math 1",
  ]);
});

test("a part of a module is restricted however it is reached", async () => {
  const policy = { restrictedModules: [{ name: "urllib.request" }] };
  for (
    const code of [
      "import urllib.request",
      "import urllib.request as r",
      "from urllib import request",
      "from urllib.request import urlopen",
      "import urllib\nurllib.request.urlopen('x')",
      "import urllib as u\nu.request",
    ]
  ) assert.equal((await look(policy, code)).safe, false, code);
  assert.equal((await look(policy, "import urllib.parse")).safe, true);
});

test("what looks like it and is not is let through", async () => {
  const policy = {
    restrictedModules: [{ name: "os" }, { name: "re" }],
    restrictedCalls: [{ name: "eval" }, { name: "open" }],
  };
  for (
    const code of [
      "print('please import os first')",
      "# import os\nx = 1",
      '"""import os"""',
      "import ossaudiodev",
      "from mymodule import osx",
      "class A:\n    def eval(self): return 1\nA().eval()",
      "def eval(x): return x\neval(1)",
      "def f(open): return open(1)",
      "x.os = 1",
      "f(os=1, eval=2)",
      "df.eval('a + b')",
      "import io\nio.StringIO()",
      "x = {'os': 1}['os']",
      "import numpy as np\nnp.random.rand(3)",
      "getattr(x, 'visit_' + y)",
      "getattr(x, y, None)",
    ]
  ) {
    const { safe, violations } = await look(policy, code);
    assert.equal(safe, true, `${code}: ${violations[0]?.message}`);
  }
});

test("a name of a class or under a condition may still be the builtin", async () => {
  for (
    const code of [
      "if x: eval = 1\neval(input())",
      "eval(input())\ndef eval(x): pass",
      "def eval(x): pass\ndel eval\neval(input())",
      "class A:\n    if 0: eval = 1\n    eval(input())",
    ]
  ) assert.equal((await look({}, code)).safe, false, code);
});

test("code in a string is looked at like code, at the place of the string", async () => {
  assert.deepEqual(await found(os, "x = 1\nexec('''\n\nimport os''')"), [
    "restricted-module os 2",
  ]);
  assert.deepEqual(await found(os, "eval('1 + 1')"), []);
});

test("dynamic code has its own severity", async () => {
  const code = "eval(input())";
  assert.equal((await look({}, code)).safe, false);
  assert.equal((await look({ dynamic: "safe" }, code)).safe, true);
  const mild = { dynamic: "low", severityThreshold: "medium" } as const;
  const { safe, violations } = await look(mild, code);
  assert.equal(safe, true);
  assert.equal(violations[0]!.rule, "dynamic");
});

test("code that cannot be parsed is a note, or blocks where the policy says so", async () => {
  const code = "def f(:\n  pass";
  const { safe, violations } = await look(os, code);
  assert.equal(safe, true);
  assert.equal(violations[0]!.rule, "parse-error");
  assert.equal((await look("strict", code)).safe, false);
  assert.equal((await look("production", code)).safe, false);
});

test("what is restricted is found in parts that cannot be parsed, too", async () => {
  const broken = "x = = (\nimport os\n";
  assert.equal((await look(os, broken)).safe, false);
});

test("a rule may hold for some languages only", async () => {
  const policy = {
    restrictedModules: [{ name: "os", languages: ["javascript"] }],
  };
  assert.equal((await look(policy, "import os")).safe, true);
  assert.equal((await look(policy, "import 'os'", "javascript")).safe, false);
});

test("presets compose, and later entries override earlier ones", async () => {
  const code = "import subprocess";
  assert.equal((await look("minimal", code)).safe, false);
  const off = { name: "subprocess", severity: "safe", languages: ["python"] };
  const milder: SecurityPolicyOption = [
    "minimal",
    { restrictedModules: [{ ...off, severity: "safe" }] },
  ];
  assert.equal((await look(milder, code)).safe, true);
  const stricter: SecurityPolicyOption = ["minimal", os];
  assert.equal((await look(stricter, "import os")).safe, false);
  const only: SecurityPolicyOption = ["strict", { allowedModules: ["foo"] }];
  assert.equal((await look(only, "import foo, math")).safe, true);
});

test("every preset lets plain programs through, in every language", async () => {
  const plain = {
    python: "import math\nprint(math.sqrt(2))",
    javascript: "console.log(Math.sqrt(2))",
    typescript: "const x: number = 1; console.log(x)",
    java: "import java.util.List; class A { int f() { return 1; } }",
    c: '#include <stdio.h>\nint main(void) { puts("x"); return 0; }',
    cpp: "#include <vector>\nint main() { std::vector<int> v; }",
    go: 'package main\nimport "fmt"\nfunc main() { fmt.Println(1) }',
    ruby: "puts [1, 2].sum",
    r: "x <- c(1, 2)\nprint(mean(x))",
    bash: 'for i in 1 2; do echo "$i"; done',
  };
  const presets = [
    ...["minimal", "development", "educational", "dataScience"] as const,
    ...["webScraping", "production", "strict"] as const,
  ];
  for (const preset of presets) {
    for (const [language, code] of Object.entries(plain)) {
      const { safe, violations } = await look(preset, code, language);
      assert.ok(safe, `${preset}, ${language}: ${violations[0]?.message}`);
    }
    const { safe } = await look(preset, "import subprocess");
    assert.equal(safe, false, preset);
  }
});

test("packages are judged by the modules that they hold", async () => {
  const policy = await compilePolicy({
    restrictedModules: [{ name: "yaml" }, { name: "PIL" }, { name: "foo_bar" }],
  }, "python");
  for (
    const name of ["PyYAML", "pillow==10.0", "yaml", "Foo-Bar[x]>=1", "foo.bar"]
  ) assert.equal(policy.checkPackages([name]).safe, false, name);
  assert.equal(policy.checkPackages(["requests", "numpy<2"]).safe, true);
  const allowed = await compilePolicy({ allowedModules: ["yaml"] }, "python");
  assert.equal(allowed.checkPackages(["pyyaml"]).safe, true);
  assert.equal(allowed.checkPackages(["requests"]).safe, false);
});

test("a later cell knows what an earlier one has bound", async () => {
  const policy = await compilePolicy({
    restrictedCalls: [{ name: "shutil.rmtree" }],
  }, "python");
  assert.ok((await policy.check("import shutil as s; t = s", true)).safe);
  assert.ok(!(await policy.check("t.rmtree('x')", true)).safe);
  // A cell that was refused never ran.
  assert.ok(!(await policy.check("u = s.rmtree", true)).safe);
  assert.ok((await policy.check("u('x')", true)).safe);
  const script = await compilePolicy({
    restrictedCalls: [{ name: "process.exit" }],
  }, "javascript");
  assert.ok((await script.check("const p = process", true)).safe);
  assert.ok(!(await script.check("p.exit(1)", true)).safe);
});

test("bytes are read as UTF-8, and another encoding is no secret", async () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  assert.equal((await look(os, bytes("import os"))).safe, false);
  assert.equal((await look(os, bytes("\ufeffimport os"))).safe, false);
  assert.equal((await look({}, bytes("# coding: latin-1\nx = 1"))).safe, true);
  assert.equal((await look({}, bytes("# coding: utf-7\nx = 1"))).safe, false);
});

test("too much code is refused, not passed", async () => {
  const code = "x = 1\n".repeat(700_000);
  const { safe, violations } = await look({}, code);
  assert.equal(safe, false);
  assert.equal(violations[0]!.rule, "limit");
});

test("more findings than anybody reads are cut, and block", async () => {
  const code = "import os\n".repeat(1_000);
  const { violations } = await look(os, code);
  assert.equal(violations.length, 201);
  assert.equal(violations.at(-1)!.rule, "limit");
});

test("places are those of the code that was given", async () => {
  const code = 'int x;\\\n\nint main() { return sys\\\ntem("x"); }';
  const policy = { restrictedCalls: [{ name: "system" }] };
  const { violations } = await look(policy, code, "c");
  assert.equal(violations[0]!.line, 3);
  const java = "class A { \\u0020\\u0020\n  java.io.File f; }";
  const rules = { restrictedModules: [{ name: "java.io" }] };
  const [first] = (await look(rules, java, "java")).violations;
  assert.deepEqual([first!.line, first!.column], [2, 3]);
});

test("an excerpt of a long line shows the place", async () => {
  const code = `${"x = 1; ".repeat(10_000)}import os; ${"y = 2; ".repeat(100)}`;
  const [first] = (await look(os, code)).violations;
  assert.ok(first!.excerpt!.includes("import os"));
  assert.ok(first!.excerpt!.length <= 120);
});

test("regular expressions see the code without its comments", async () => {
  const policy = {
    patterns: [{ pattern: /secret_\w+/i, severity: "low" as const }],
  };
  assert.equal((await look(policy, "# SECRET_key\nx = 1")).safe, true);
  assert.deepEqual(await found(policy, "# a\nx = Secret_Key"), [
    "pattern /secret_\\w+/i 2",
  ]);
});

test("a regular expression that would take for ever elsewhere ends", async () => {
  const policy = { patterns: [{ pattern: "^(a+)+$" }, { pattern: "(.*)*x" }] };
  const { violations } = await look(policy, `x = '${"a".repeat(50_000)}!'`);
  assert.ok(violations.every(({ rule }) => rule !== "parse-error"));
  const heavy = {
    patterns: Array.from({ length: 100 }, () => ({ pattern: "(a|b|c){40}z" })),
  };
  const [first] = (await look(heavy, `x = '${"ab".repeat(500_000)}'`))
    .violations;
  assert.equal(first!.rule, "limit");
});

test("queries find syntax", async () => {
  const query = '(call function: (identifier) @f (#eq? @f "print"))';
  const policy = { patterns: [{ query, description: "no printing" }] };
  const { violations } = await look(policy, "x = 'print()'\nprint(x)");
  assert.equal(violations.length, 1);
  assert.equal(violations[0]!.line, 2);
  assert.equal(violations[0]!.message, "no printing");
});

test("patterns that cannot be kept are refused when the policy is made", async () => {
  const refused: SecurityPolicyOption[] = [
    { patterns: [{ pattern: "(?=x)" }] },
    { patterns: [{ pattern: "(a)\\1" }] },
    { patterns: [{ pattern: "(" }] },
    { patterns: [{ pattern: "((a{1,500}){1,500})" }] },
    { patterns: [{ query: "(no_such_node) @x" }] },
    { patterns: [{ query: "(identifier)" }] },
    { patterns: [{ query: '((identifier) @x (#match? @x "(a+)+$"))' }] },
  ];
  for (const policy of refused) {
    await assert.rejects(compilePolicy(policy, "python"), (error) => {
      assert.ok(error instanceof SandboxError);
      assert.equal(error.code, "INVALID_OPTION");
      return true;
    });
  }
});
