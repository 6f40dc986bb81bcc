/** The other languages: what must be found in them, and what must not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { compilePolicy } from "../../src/policy/policy.ts";
import type { SecurityPolicy } from "../../src/security_policy.ts";

const names = (...list: string[]) => list.map((name) => ({ name }));

const policy: SecurityPolicy = {
  restrictedModules: names(
    ...["java.io", "java.net", "sys/socket.h", "os/exec", "net/http"],
    ...["socket", "open3", "RCurl", "httr"],
  ),
  restrictedCalls: names(
    ...["java.lang.Runtime.exec", "java.lang.System.exit"],
    ...["java.lang.ProcessBuilder.*", "system", "popen", "os.RemoveAll"],
    ...["Kernel.exec", "exec", "IO.popen", "File.delete", "system2"],
    ...["curl", "rm"],
  ),
};

const java = (body: string) => `class A { void f() { ${body} } }`;
const main = (body: string) => `int main() { ${body} return 0; }`;
const go = (imports: string, body = "") =>
  `package main\nimport ${imports}\nfunc main() { ${body} }`;

interface Cases {
  refused: string[];
  clean: string[];
}

const cases: Record<string, Cases> = {
  java: {
    refused: [
      "import java.io.File;",
      "import java.io.*;",
      "import java.\n  io.File;",
      "class A { java.io.File f; }",
      "class A { java . io . File f; }",
      "class A extends java.net.URLClassLoader {}",
      "\\u0069mport java.io.File;",
      "import java.\\u0069o.File;",
      java('Runtime.getRuntime().exec("x");'),
      java('Runtime r = Runtime.getRuntime(); r.exec("x");'),
      java("System.exit(1);"),
      java("java.lang.System.exit(1);"),
      java("java.lang /* x */ .System.exit(1);"),
      java("Runnable r = System::exit;"),
      java('new ProcessBuilder("x").start();'),
      java("var s = new java.net.Socket();"),
      java("java.util.List<java.net.Socket> x;"),
      `import static java.lang.System.exit; ${java("exit(1);")}`,
      java("Class.forName(name);"),
      java('Class.forName("java.io.File");'),
      java("o.getClass().getMethod(name).invoke(o);"),
    ],
    clean: [
      `import java.util.List; ${java('System.out.println("java.io");')}`,
      'class A { String s = "System.exit(1)"; /* System.exit(1) */ }',
      "class A { void exit() {} void g() { this.exit(); } }",
    ],
  },
  c: {
    refused: [
      "#include <sys/socket.h>",
      '#include "sys/socket.h"',
      "#  include <sys/socket.h>",
      "#inc\\\nlude <sys/socket.h>",
      "%:include <sys/socket.h>",
      "??=include <sys/socket.h>",
      "#define S <sys/socket.h>\n#include S",
      main('system("x");'),
      main('(system)("x");'),
      main('sys\\\ntem("x");'),
      main('int (*f)(const char *) = system; f("x");'),
      main('void *p = dlsym(0, "system");'),
      main('asm("nop");'),
      `#define S system\n${main('S("x");')}`,
      `#define G(a, b) a##b\n${main('G(sys, tem)("x");')}`,
      "extern int system(const char *);",
    ],
    clean: [
      '#include <stdio.h>\nint main(void) { printf("system"); return 0; } // system()',
      "struct s { int system; }; int f(struct s *p) { return p->system; }",
      "#ifdef system\n#endif\nint x;",
    ],
  },
  cpp: {
    refused: [
      main('std::system("x");'),
      main('::system("x");'),
      main('auto f = [] { return system("x"); };'),
      "using std::system;",
      "auto f = &system;",
      "namespace s = std; auto f = &s::system;",
      "#include <sys/socket.h>",
      "import <sys/socket.h>;",
    ],
    clean: [
      "#include <vector>\nint main() { std::vector<int> v; v.push_back(1); }",
      'auto s = R"(system("x"))";',
    ],
  },
  go: {
    refused: [
      go('"os/exec"'),
      go('(e "os/exec")'),
      go("`net/http`"),
      go('"os\\x2fexec"'),
      go('_ "net/http"'),
      go('"C"'),
      go('"unsafe"'),
      go('"os"', 'os.RemoveAll("x")'),
      go('o "os"', 'f := o.RemoveAll; f("x")'),
      go('. "os"', 'RemoveAll("x")'),
      "package main\n\n//go:linkname f os.RemoveAll\nfunc f()",
    ],
    clean: [
      go('"fmt"', 'fmt.Println("os/exec")'),
      go('"os"', "os.Getenv(`x`)"),
    ],
  },
  ruby: {
    refused: [
      "require 'socket'",
      'require "open3"',
      'require("soc" "ket")',
      "require name",
      "require 'so' + 'cket'",
      "load 'socket.rb'",
      "system('x')",
      "system 'x'",
      "x = system",
      "`ls`",
      "%x(ls)",
      "Kernel.system('x')",
      "::Kernel.exec('a')",
      "obj.send(:system, 1)",
      "send('sys' + 'tem')",
      "obj.public_send('system', 1)",
      "method(:system).call('x')",
      "[1].each(&:system)",
      "alias foo system",
      "eval 'system(1)'",
      "eval code",
      "instance_eval('system(1)')",
      "IO.popen('x')",
      "open('|ls')",
      "File.delete('x')",
      "::File.delete 'x'",
      "Object.const_get(:File).delete('a')",
      "\"#{system('x')}\"",
      "<<~X\n#{system('x')}\nX",
      "exec 'x' if true",
    ],
    clean: [
      "puts 'system'",
      "class A; def run; @x = 1; end; end",
      "[1, 2].map { |a| a * 2 }",
      "# system('x')\n1",
      "x.system_name",
    ],
  },
  r: {
    refused: [
      "library(RCurl)",
      "library('RCurl')",
      'require("httr")',
      "requireNamespace('httr')",
      "library(p, character.only = TRUE)",
      "httr::GET('x')",
      "httr:::x",
      "system('x')",
      "base::system('x')",
      "'system'('x')",
      "`system`('x')",
      "'x' |> system()",
      "f <- system; f('x')",
      "lapply('x', system)",
      "sapply('x', 'system')",
      "do.call('system', list('x'))",
      "do.call(paste0('sys', 'tem'), list('x'))",
      "match.fun('system')('x')",
      "get(name)('x')",
      "eval(parse(text = 'system(1)'))",
      "eval(parse(text = code))",
      "system2('ls')",
      ".Call('x')",
      "source('x.R')",
    ],
    clean: [
      "library(MASS)\nx <- c(1, 2)\nprint(mean(x))",
      "sapply(1:3, function(i) i)",
      "do.call(rbind, parts)",
      "x$system",
      "list(system = 1)",
    ],
  },
  bash: {
    refused: [
      "curl x",
      "/usr/bin/curl x",
      'c"u"rl x',
      "cu''rl x",
      "\\curl x",
      "c\\url x",
      "cu\\\nrl x",
      "$'\\x63url' x",
      "$cmd x",
      "$(echo curl) x",
      "c${empty}url x",
      "/bin/c?rl x",
      'eval "curl x"',
      "eval $code",
      "command curl x",
      "env A=1 curl x",
      "sudo -u root curl x",
      "timeout 5 curl x",
      "time curl x",
      "xargs curl",
      "exec rm x",
      "find . -exec rm {} ;",
      "bash -c 'curl x'",
      "echo x | sh",
      "sh script",
      "source $file",
      "alias a=curl",
      "trap 'rm x' EXIT",
      "a=`rm x`",
      "cat <(curl x)",
      "cat <<EOF\n$(rm a)\nEOF",
      "if true; then rm x; fi",
      "f() { rm x; }; f",
      "python3 -c 'x'",
      "A=1 curl x",
      "! curl x",
    ],
    clean: [
      "echo curl",
      "ls -la | grep rm",
      "for i in 1 2; do echo $i; done",
      'x=5; echo "$x curl"',
      "[[ -f curl ]] && echo yes",
      "cat <<'EOF'\n$(rm a)\nEOF",
    ],
  },
};

const shown = (text: string) => JSON.stringify(text);

for (const [language, { refused, clean }] of Object.entries(cases)) {
  test(`${language}: what is restricted is found, and nothing else`, async () => {
    const compiled = await compilePolicy(policy, language);
    const missed: string[] = [];
    for (const code of refused) {
      if ((await compiled.check(code)).safe) missed.push(shown(code));
    }
    assert.deepEqual(missed, [], "missed");
    const alarms: string[] = [];
    for (const code of clean) {
      const { safe, violations } = await compiled.check(code);
      if (!safe) alarms.push(`${shown(code)}: ${violations[0]!.message}`);
    }
    assert.deepEqual(alarms, [], "false alarms");
  });
}
