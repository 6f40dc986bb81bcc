import type { LanguageCase } from "../programs.ts";

export const python: LanguageCase = {
  image: "python",
  helper: { name: "helper.py", text: "def help(): return 'helped'\n" },
  whole: `
import sys
import helper
print(helper.help(), *sys.argv[1:], sys.stdin.read())
print("err", file=sys.stderr)
open("out.txt", "w").write("made")
sys.exit(3)
`,
  broken: "def (:",
  complaint: /SyntaxError/,
  fails: "def f():\n  raise ValueError('went wrong')\nf()",
  failure: /Traceback[^]*ValueError: went wrong/,
  loop: "while True: pass",
  fills: "a = []\nwhile True: a.append(bytearray(1 << 24))",
  install: {
    packages: ["humanize"],
    code:
      "import humanize; assert humanize.intcomma(1234) == '1,234'; print('installed')",
    name: "humanize",
  },
};

const node = (helper: string) => `
import { readFileSync, writeFileSync } from "node:fs";
import { help } from "./${helper}";
console.log(help(), ...process.argv.slice(2), readFileSync(0, "utf8"));
console.error("err");
writeFileSync("out.txt", "made");
process.exitCode = 3;
`;

const isOdd = {
  packages: ["is-odd@3.0.1"],
  name: "is-odd",
};

export const javascript: LanguageCase = {
  image: "node",
  helper: {
    name: "helper.mjs",
    text: "export const help = () => 'helped';\n",
  },
  whole: node("helper.mjs"),
  broken: "let = = 1;",
  complaint: /SyntaxError/,
  fails: "function f() { throw new TypeError('went wrong'); }\nf();",
  failure: /TypeError: went wrong/,
  loop: "for (;;);",
  fills: "const a = []; for (;;) a.push(new Array(1e6).fill(a.length));",
  install: {
    ...isOdd,
    code: `import isOdd from "is-odd"; if (isOdd(3)) console.log("installed");`,
  },
};

export const typescript: LanguageCase = {
  image: "node24",
  helper: {
    name: "helper.ts",
    text: "export const help = (): string => 'helped';\n",
  },
  whole: `interface Shape { area: number }
const shape: Shape = { area: 1 };
if (shape.area !== 1) throw new Error();
${node("helper.ts")}`,
  broken: "let x: = 1;",
  complaint: /SyntaxError/,
  fails: "function f(): never { throw new TypeError('went wrong'); }\nf();",
  failure: /TypeError: went wrong/,
  loop: "for (;;);",
  fills:
    "const a: unknown[] = []; for (;;) a.push(new Array(1e6).fill(a.length));",
  install: {
    ...isOdd,
    code:
      `import isOdd from "is-odd"; const n: number = 3; if (isOdd(n)) console.log("installed");`,
  },
};

export const ruby: LanguageCase = {
  image: "ruby",
  helper: { name: "helper.rb", text: "def help = 'helped'\n" },
  whole: `
require_relative "helper"
puts [help, *ARGV, STDIN.read].join(" ")
warn "err"
File.write("out.txt", "made")
exit 3
`,
  broken: "def (",
  complaint: /syntax error/i,
  fails: "def f = raise(ArgumentError, 'went wrong')\nf",
  failure: /went wrong \(ArgumentError\)/,
  loop: "loop {}",
  install: {
    packages: ["mote_hello"],
    code: "require 'mote_hello'; puts MoteHello::WORD",
    name: "mote_hello",
    registry: {
      files: {
        "mote_hello.gemspec": `Gem::Specification.new do |s|
  s.name = "mote_hello"
  s.version = "1.2.3"
  s.summary = "for tests"
  s.authors = ["Mote"]
  s.files = ["lib/mote_hello.rb"]
end
`,
        "lib/mote_hello.rb": "module MoteHello\n  WORD = 'installed'\nend\n",
      },
      lines: [
        "COPY . /srv/source",
        "RUN cd /srv/source && gem build mote_hello.gemspec && mkdir -p /srv/gems/gems && mv *.gem /srv/gems/gems/ && gem generate_index --directory /srv/gems",
        "RUN printf -- '---\\n:sources:\\n- file:///srv/gems/\\n' > /etc/gemrc && mkdir -p /usr/local/etc && cp /etc/gemrc /usr/local/etc/gemrc",
      ],
    },
  },
};

export const r: LanguageCase = {
  image: "r",
  helper: { name: "helper.R", text: "help <- function() 'helped'\n" },
  whole: `
source("helper.R")
cat(help(), commandArgs(trailingOnly = TRUE), readLines(file("stdin"), warn = FALSE), "\\n")
message("err")
cat("made", file = "out.txt")
quit(status = 3)
`,
  broken: "x <- (",
  complaint: /unexpected end of input/,
  fails: "f <- function() stop('went wrong')\nf()",
  failure: /Error in f\(\) : went wrong/,
  loop: "repeat {}",
  install: {
    packages: ["motehello"],
    code: "library(motehello); cat(word(), '\\n')",
    name: "motehello",
    registry: {
      files: {
        "motehello/DESCRIPTION":
          "Package: motehello\nVersion: 1.2.3\nTitle: For Tests\nDescription: For tests.\nAuthor: Mote\nMaintainer: Mote <mote@example.com>\nLicense: Apache License 2.0\n",
        "motehello/NAMESPACE": "export(word)\n",
        "motehello/R/word.R": "word <- function() 'installed'\n",
      },
      lines: [
        "COPY . /srv/source",
        "RUN cd /srv/source && R CMD build motehello && mkdir -p /srv/cran/src/contrib && mv *.tar.gz /srv/cran/src/contrib/",
        `RUN Rscript -e 'tools::write_PACKAGES("/srv/cran/src/contrib", type = "source")'`,
        `RUN echo 'options(repos = c(CRAN = "file:///srv/cran"))' >> "$(R RHOME)/etc/Rprofile.site"`,
      ],
    },
  },
};
