/** Python 3. */
import type { Programs } from "../programs.ts";

const text = (value: string): string => JSON.stringify(value);

/** A Python literal of a JSON value. */
const literal = (value: unknown): string =>
  `json.loads(${text(JSON.stringify(value))})`;

const compact = `separators=(",", ":"), ensure_ascii=False`;

export const python: Programs = {
  print: (value) => `print(${text(value)})`,
  both: (out, err) =>
    `import sys\nprint(${text(out)})\nprint(${text(err)}, file=sys.stderr)`,
  exit: (code) => `import sys\nsys.exit(${code})`,
  raise: (before, message) =>
    `print(${text(before)})\nraise ValueError(${text(message)})`,
  broken: `print("never")\ndef broken(:\n`,
  echoStdin: `import sys\nsys.stdout.buffer.write(sys.stdin.buffer.read())`,
  env: (name) => `import os\nprint(os.environ.get(${text(name)}, ""))`,
  args: `import json, sys\nprint(json.dumps(sys.argv[1:], ${compact}))`,
  cwd: `import os\nprint(os.getcwd())`,
  rawBytes: (bytes) =>
    `import sys\nsys.stdout.buffer.write(bytes(${JSON.stringify(bytes)}))`,
  bigOutput: (count) => `import sys\nsys.stdout.write("x" * ${count})`,

  read: (path) =>
    `import sys\nsys.stdout.write(open(${
      text(path)
    }, encoding="utf-8").read())`,
  write: (path, value) =>
    `with open(${text(path)}, "w", encoding="utf-8") as file:\n    file.write(${
      text(value)
    })`,
  append: (path, value) =>
    `with open(${text(path)}, "a", encoding="utf-8") as file:\n    file.write(${
      text(value)
    })`,
  writeBytes: (path, count) =>
    `with open(${text(path)}, "wb") as file:\n    file.write(b"x" * ${count})`,
  mkdir: (path) => `import os\nos.makedirs(${text(path)})`,
  remove: (path) => `import os\nos.remove(${text(path)})`,
  symlink: (target, path) =>
    `import os\nos.symlink(${text(target)}, ${text(path)})`,
  list: (path) =>
    `import os\nfor name in sorted(os.listdir(${
      text(path)
    })):\n    print(name)`,
  readCaught: (path) =>
    `try:\n    open(${
      text(path)
    }, "rb").read(1)\n    print("read")\nexcept OSError:\n    print("refused")`,
  writeCaught: (path) =>
    `try:\n    open(${
      text(path)
    }, "ab").write(b"x")\n    print("written")\nexcept OSError:\n    print("refused")`,

  loopForever: `while True:\n    pass`,
  printThenLoop: (value) =>
    `print(${text(value)}, flush=True)\nwhile True:\n    pass`,
  sleepForever: `import time\nwhile True:\n    time.sleep(3600)`,
  memoryBomb: `kept = []\nwhile True:\n    kept.append(bytearray(1 << 20))`,
  memoryCaught:
    `kept = []\ntry:\n    while True:\n        kept.append(bytearray(1 << 20))\nexcept MemoryError:\n    kept.clear()\n    print("caught")`,
  outputFlood: `while True:\n    print("x" * 1000)`,
  diskFill:
    `with open("big", "wb") as file:\n    while True:\n        file.write(b"x" * 65536)`,
  diskFillCaught: [
    `import os`,
    `file = os.open("big", os.O_CREAT | os.O_WRONLY)`,
    `try:`,
    `    while True:`,
    `        os.write(file, b"x" * 65536)`,
    `except OSError:`,
    `    print("caught")`,
  ].join("\n"),
  manyFiles: (count) =>
    `import os\nos.makedirs("many")\nfor n in range(${count}):\n    open(f"many/{n}", "w").close()`,
  deepRecursion: `def down(n):\n    return down(n + 1) + 1\ndown(0)`,

  setState: (name, value) => `${name} = ${value}`,
  getState: (name) => `print(${name})`,
  random: `import random\nprint(random.getrandbits(64))`,

  http: (method, url, { headers = {}, body } = {}) =>
    [
      `import json, os`,
      `headers = {name: os.path.expandvars(value) for name, value in ${
        literal(headers)
      }.items()}`,
      `try:`,
      `    answer = http.request(${text(method)}, ${
        text(url)
      }, headers=headers, data=${body === undefined ? "None" : text(body)})`,
      `    print(answer.status, answer.text, answer.headers.get("X-Answer"))`,
      `except http.Error as error:`,
      `    print("refused", error)`,
    ].join("\n"),
  tool: (name, input) =>
    `import json\nprint(json.dumps(tools.${name}(**${
      literal(input)
    }), ${compact}))`,
  toolCaught: (name, input) =>
    [
      `import json`,
      `try:`,
      `    print(json.dumps(tools.${name}(**${literal(input)}), ${compact}))`,
      `except RuntimeError as error:`,
      `    print("caught", error)`,
    ].join("\n"),
  toolOften: (name, count) =>
    `for _ in range(${count}):\n    tools.${name}()\nprint("called")`,
};
