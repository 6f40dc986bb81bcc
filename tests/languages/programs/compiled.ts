import type { LanguageCase } from "../programs.ts";

export const c: LanguageCase = {
  image: "cpp",
  helper: {
    name: "helper.h",
    text: 'static const char *help(void) { return "helped"; }\n',
  },
  whole: `
#include <stdio.h>
#include <math.h>
#include "helper.h"
int main(int count, char **words) {
  printf("%s", help());
  for (int at = 1; at < count; at++) printf(" %s", words[at]);
  putchar(' ');
  for (int one; (one = getchar()) != EOF;) putchar(one);
  fprintf(stderr, "err\\n");
  FILE *file = fopen("out.txt", "w");
  fputs("made", file);
  fclose(file);
  return sqrt(count * 3.0) == 3 ? 3 : 1;
}
`,
  broken: "int main(void) { return x; }",
  complaint: /main\.c:1:25: error: .x. undeclared/,
  fails:
    '#include <stdlib.h>\n#include <stdio.h>\nint main(void) { fputs("went wrong", stderr); abort(); }',
  failure: /went wrong/,
  loop: "int main(void) { for (volatile int x = 0;; x++); }",
  fills:
    "#include <stdlib.h>\n#include <string.h>\nint main(void) { for (;;) memset(malloc(1 << 24), 1, 1 << 24); }",
  install: {
    packages: ["libjansson-dev"],
    code:
      '#include <jansson.h>\n#include <stdio.h>\nint main(void) { puts(json_integer_value(json_integer(3)) == 3 ? "installed" : "no"); }',
    name: "libjansson-dev",
  },
};

export const cpp: LanguageCase = {
  image: "cpp",
  helper: {
    name: "helper.h",
    text: '#include <string>\ninline std::string help() { return "helped"; }\n',
  },
  whole: `
#include <fstream>
#include <iostream>
#include <iterator>
#include <thread>
#include "helper.h"
int main(int count, char **words) {
  std::thread([] { std::cout << help(); }).join();
  for (int at = 1; at < count; at++) std::cout << ' ' << words[at];
  std::cout << ' ' << std::string(std::istreambuf_iterator<char>(std::cin), {});
  std::cerr << "err" << std::endl;
  std::ofstream("out.txt") << "made";
  return 3;
}
`,
  broken: "int main() { return x; }",
  complaint: /main\.cpp:1:21: error: .x. was not declared/,
  fails:
    '#include <stdexcept>\nint main() { throw std::runtime_error("went wrong"); }',
  failure: /went wrong/,
  loop: "int main() { for (volatile int x = 0;; x = x + 1); }",
  install: {
    packages: ["nlohmann-json3-dev"],
    code:
      '#include <nlohmann/json.hpp>\n#include <iostream>\nint main() { nlohmann::json j; j["a"] = 3; if (j.dump() == "{\\"a\\":3}") std::cout << "installed\\n"; }',
    name: "nlohmann-json3-dev",
  },
};

export const java: LanguageCase = {
  image: "java",
  helper: {
    name: "Helper.java",
    text: 'class Helper { static String help() { return "helped"; } }\n',
  },
  whole: `
import java.nio.file.*;
record Point(int x) {}
public class Greeting {
  public static void main(String[] words) throws Exception {
    String in = new String(System.in.readAllBytes());
    System.out.println(Helper.help() + " " + String.join(" ", words) + " " + in);
    System.err.println("err");
    Files.writeString(Path.of("out.txt"), "made");
    System.exit(new Point(3).x());
  }
}
`,
  broken: "public class Main { int x = ; }",
  complaint: /Main\.java:1: error: illegal start of expression/,
  fails:
    'class Main { public static void main(String[] a) { throw new IllegalStateException("went wrong"); } }',
  failure: /IllegalStateException: went wrong\n\s+at Main\.main/,
  loop: "class Main { public static void main(String[] a) { for (;;); } }",
  fills:
    "import java.util.*;\nclass Main { public static void main(String[] a) { var l = new ArrayList<long[]>(); for (;;) l.add(new long[1 << 20]); } }",
  install: {
    packages: ["org.apache.commons:commons-text:1.10.0"],
    code:
      'import org.apache.commons.text.WordUtils;\nclass Main { public static void main(String[] a) { System.out.println(WordUtils.uncapitalize("Installed")); } }',
    name: "org.apache.commons:commons-lang3",
  },
};

export const go: LanguageCase = {
  image: "go",
  helper: { name: "go.mod", text: "module example\n\ngo 1.18\n" },
  whole: `package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	module, _ := os.ReadFile("go.mod")
	in, _ := io.ReadAll(os.Stdin)
	word := strings.Replace(strings.Fields(string(module))[1], "example", "helped", 1)
	fmt.Println(word, strings.Join(os.Args[1:], " "), string(in))
	fmt.Fprintln(os.Stderr, "err")
	os.WriteFile("out.txt", []byte("made"), 0o644)
	os.Exit(3)
}
`,
  broken: "package main\n\nfunc main() { return x }\n",
  complaint: /main\.go:3:\d+: /,
  fails: 'package main\n\nfunc main() { panic("went wrong") }\n',
  failure: /panic: went wrong\n\ngoroutine 1 \[running\]/,
  loop: "package main\n\nfunc main() { for { } }\n",
  install: {
    packages: ["github.com/google/uuid@v1.3.0"],
    code:
      'package main\n\nimport (\n\t"fmt"\n\n\t"github.com/google/uuid"\n)\n\nfunc main() {\n\tif len(uuid.NewString()) == 36 {\n\t\tfmt.Println("installed")\n\t}\n}\n',
    name: "github.com/google/uuid",
  },
};

export const bash: LanguageCase = {
  image: "cpp",
  helper: { name: "helper.sh", text: "help() { printf helped; }\n" },
  whole: `
source ./helper.sh
echo "$(help) $* $(cat)"
echo err >&2
printf made > out.txt
exit 3
`,
  broken: "if then",
  complaint: /syntax error near unexpected token `then'/,
  fails: "set -e\ncat /nothing/there\necho not reached",
  failure: /\/nothing\/there: No such file or directory/,
  loop: "while :; do :; done",
  install: {
    packages: ["jq"],
    code: `echo '{"a":"installed"}' | jq -r .a`,
    name: "jq",
  },
};
