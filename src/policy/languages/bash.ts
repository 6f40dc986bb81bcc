import { bundled } from "../parsers.ts";
import { rewritten } from "../rewritten.ts";
import { scanErrors } from "../scan_errors.ts";
import { unescape } from "./python_text.ts";
import type { Checking, PolicyLanguage } from "./language.ts";

/** Commands that run the one that follows, after their options and, for some, one word more. */
const _prefixes: ReadonlyMap<string, number> = new Map([
  ...[
    "command",
    "builtin",
    "exec",
    "env",
    "sudo",
    "doas",
    "nohup",
    "time",
    "nice",
    "ionice",
    "setsid",
    "stdbuf",
    "xargs",
    "coproc",
    "busybox",
    "toybox",
    "unbuffer",
    "then",
    "do",
    "!",
  ]
    .map((name) => [name, 0] as const),
  ["timeout", 1],
  ["chroot", 1],
  ["flock", 1],
  ["watch", 0],
  ["strace", 0],
  ["script", 0],
]);
const _shells = new Set(["sh", "bash", "dash", "zsh", "ksh", "ash", "fish"]);
const _interpreters =
  /^(python[\d.]*|perl|ruby|node|deno|bun|php|lua|awk|gawk|mawk|Rscript|osascript|pwsh)$/;

/** Bash: commands are what functions are elsewhere, by their names without folders; modules are files that are sourced, and commands too. */
export const bash: PolicyLanguage = {
  name: "bash",
  grammar: bundled("bash"),
  closed: ["comment", "heredoc_content"],
  naming: {
    separator: "/",
    module: (name) => name.replace(/^(\.?\/)?(usr\/)?(local\/)?(s?bin)\//, ""),
  },
  // What a backslash at the end of a line joins is one word.
  prepare: (code) => rewritten(code, /\\\r?\n/g, () => ""),
  check: (checking) => _check(checking),
};

function _check(checking: Checking): void {
  const { tree, rules, findings, nested } = checking;
  scanErrors(checking);
  /** A word with its quotes taken away; undefined where something is filled in. */
  const word = (node: number): string | undefined => {
    const kind = tree.kind(node);
    const text = tree.textOf(node);
    if (kind === "word" || kind === "number") {
      // Names that the shell looks up among files, or makes several of, are not known here.
      if (/(^|[^\\])[*?[\]{}]/.test(text) && !/^[[\]{}]+$/.test(text)) {
        return undefined;
      }
      return text.replace(/\\\n/g, "").replace(/\\([^])/g, "$1");
    }
    if (kind === "raw_string") return text.slice(1, -1);
    if (kind === "ansi_c_string") {
      return unescape(text.slice(2, -1).replace(/\\e/gi, "\x1b"));
    }
    if (
      kind === "string" || kind === "concatenation" ||
      kind === "command_name" || kind === "translated_string"
    ) {
      let whole = "";
      for (const one of tree.children(node)) {
        const part = tree.kind(one) === "string_content"
          ? tree.textOf(one).replace(
            /\\([\\"$`\n])/g,
            (_, sign) => sign === "\n" ? "" : sign,
          )
          : word(one);
        if (part === undefined) return undefined;
        whole += part;
      }
      return whole;
    }
    return undefined;
  };
  const dynamic = (name: string, message: string, node: number) =>
    rules.reportDynamic(findings, name, message, tree.start(node));
  const used = (name: string, node: number) => {
    const base = name.slice(name.lastIndexOf("/") + 1);
    if (!rules.reportCall(findings, name, tree.start(node))) {
      rules.reportCall(findings, base, tree.start(node));
    }
    if (rules.module(base)) {
      rules.reportModule(findings, base, tree.start(node));
    }
  };
  for (let node = 0; node < tree.size; node++) {
    if (tree.kind(node) === "function_definition") {
      // A function of the same name hides a command from nobody else.
      continue;
    }
    if (tree.kind(node) !== "command") continue;
    const words = tree.children(node).filter((one) =>
      !/^(variable_assignment|file_redirect|herestring_redirect|heredoc_redirect)$/
        .test(tree.kind(one))
    );
    let skip = 0;
    for (const [index, one] of words.entries()) {
      const name = word(one);
      if (name === undefined) {
        if (skip === 0) {
          dynamic(
            "command",
            "the name of a command is known at run time only",
            node,
          );
        }
        break;
      }
      if (
        index > 0 &&
        (name.startsWith("-") || /^[A-Za-z_]\w*=/.test(name) ||
          (skip > 0 && skip--))
      ) continue;
      if (index > 0 && /^[\d.]+[smhd]?$/.test(name)) continue;
      used(name, node);
      const base = name.slice(name.lastIndexOf("/") + 1);
      if (index > 64) {
        dynamic("command", "the command is too far from its beginning", node);
        break;
      }
      const rest = words.slice(index + 1, index + 65);
      const piped = _isPiped(
        tree.kind(tree.parent(node)),
        tree.first(tree.parent(node)) === node,
      );
      if (base === "eval") _evaluates(rest);
      else if (base === "source" || base === ".") {
        const file = rest[0] === undefined ? undefined : word(rest[0]);
        if (file !== undefined) {
          rules.reportModule(findings, file, tree.start(node));
        } else dynamic(base, "what is sourced is known at run time only", node);
      } else if (
        base === "alias" || base === "trap" || base === "find" ||
        base === "declare" || base === "enable"
      ) {
        _others(base, rest, node);
      } else if (_shells.has(base)) {
        const at = rest.findIndex((arg) => /^-\w*c\w*$/.test(word(arg) ?? ""));
        if (at >= 0) _evaluates(rest.slice(at + 1, at + 2));
        else if (piped || rest.length === 0) {
          dynamic(base, `${base} runs what it reads`, node);
        } else {dynamic(
            base,
            `${base} runs a file that is not in the program`,
            node,
          );}
      } else if (_interpreters.test(base)) {
        dynamic(base, `${base} runs code of another language`, node);
      }
      // After an option this may be what the option takes.
      const option = index > 0 &&
        tree.textOf(words[index - 1]!).startsWith("-");
      if (!_prefixes.has(base) && !option) break;
      if (option && !_prefixes.has(base)) continue;
      skip = _prefixes.get(base)!;
    }
  }

  function _isPiped(kind: string, first: boolean): boolean {
    return kind === "pipeline" && !first;
  }

  function _evaluates(words: readonly number[]): void {
    if (words.length === 0) return;
    const parts = words.map(word);
    if (parts.includes(undefined)) {
      dynamic("eval", "code is put together at run time", words[0]!);
    } else nested(parts.join(" "), words[0]!);
  }

  function _others(base: string, rest: readonly number[], node: number): void {
    if (base === "find") {
      const at = rest.findIndex((one) =>
        /^-(exec|execdir|ok|okdir)$/.test(tree.textOf(one))
      );
      const name = at < 0
        ? ""
        : rest[at + 1] === undefined
        ? undefined
        : word(rest[at + 1]!);
      if (name === undefined) {
        dynamic(
          base,
          "find runs a command that is known at run time only",
          node,
        );
      } else if (name !== "") used(name, node);
      return;
    }
    if (base === "enable") {
      dynamic(base, "builtins are changed", node);
      return;
    }
    for (const one of base === "trap" ? rest.slice(0, 1) : rest) {
      const text = word(one);
      if (text === undefined) {
        if (base !== "declare") {
          dynamic(
            base,
            `${base} names code that is known at run time only`,
            node,
          );
        }
      } else if (base === "alias" && text.includes("=")) {
        nested(text.slice(text.indexOf("=") + 1), node);
      } else if (base === "trap" && text !== "-" && text !== "") {
        nested(text, node);
      }
    }
  }
}
