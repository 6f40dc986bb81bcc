import { bundled } from "../parsers.ts";
import { scanErrors } from "../scan_errors.ts";
import { unescape } from "./python_text.ts";
import type { Checking, PolicyLanguage } from "./language.ts";

const _loaders = new Set([
  "require",
  "require_relative",
  "load",
  "autoload",
  "gem",
]);
const _evaluators = new Set([
  "eval",
  "instance_eval",
  "class_eval",
  "module_eval",
  "instance_exec",
  "binding",
]);
/** Methods that call, or answer, what they are given the name of. */
const _senders = new Set([
  "send",
  "__send__",
  "public_send",
  "method",
  "public_method",
  "instance_method",
  "const_get",
  "const_missing",
  "define_method",
  "alias_method",
  "instance_variable_get",
  "try",
  "qualified_const_get",
  "respond_to_missing?",
  "method_missing",
  "to_proc",
]);
/** Modules whose methods are everywhere. */
const _everywhere = /^(::)?(Kernel|Object|self|main|BasicObject)$/;

/** Ruby; a method of a module is Module.name, one that is everywhere only its name. */
export const ruby: PolicyLanguage = {
  name: "ruby",
  grammar: bundled("ruby"),
  closed: ["comment", "string_content"],
  naming: {
    separator: ".",
    module: (name) =>
      name.replace(/\.rb$/, "").replaceAll("/", ".").replaceAll("::", "."),
  },
  prepare: (code) => ({ text: code }),
  check: (checking) => _check(checking),
};

function _check(checking: Checking): void {
  const { tree, rules, findings, nested } = checking;
  scanErrors(checking);
  const constant = (node: number): string | undefined => {
    const kind = tree.kind(node);
    const text = tree.textOf(node);
    if (kind === "simple_symbol") return text.slice(1);
    if (kind === "identifier" || kind === "constant") return undefined;
    if (
      kind === "delimited_symbol" || kind === "string" ||
      kind === "chained_string"
    ) {
      for (let one = node; one <= tree.last(node); one++) {
        if (tree.kind(one) === "interpolation") return undefined;
      }
      if (kind === "chained_string") {
        const parts = tree.children(node).map(constant);
        return parts.includes(undefined) ? undefined : parts.join("");
      }
      const body = /^:?(?:'([^]*)'|"([^]*)"|%[qQ]?[^\w\s]([^]*)[^\w\s])$/.exec(
        text,
      );
      if (!body) return undefined;
      const [, single, double, other] = body;
      return single ?? unescape(double ?? other ?? "");
    }
    return undefined;
  };
  const dynamic = (name: string, message: string, node: number) =>
    rules.reportDynamic(findings, name, message, tree.start(node));
  const used = (name: string, node: number) => {
    const at = tree.start(node);
    rules.reportCall(findings, name, at);
    if (/^[A-Z]/.test(name) && rules.module(name)) {
      rules.reportModule(findings, name, at);
    }
  };
  for (let node = 0; node < tree.size; node++) {
    const kind = tree.kind(node);
    const parent = tree.parent(node);
    const above = tree.kind(parent);
    if (kind === "subshell") {
      for (const name of ["`", "system"]) {
        if (rules.reportCall(findings, name, tree.start(node))) break;
      }
      dynamic("`", "a shell runs what is between the backticks", node);
    } else if (
      kind === "simple_symbol" && /block_argument|^alias$|undef/.test(above)
    ) {
      used(tree.textOf(node).slice(1), node);
    } else if (kind === "identifier" && above === "alias") {
      used(tree.textOf(node), node);
    } else if (kind === "constant" || kind === "scope_resolution") {
      if (above === "scope_resolution") continue;
      const path = tree.textOf(node).replace(/\s+/g, "").replace(/^::/, "")
        .replaceAll("::", ".");
      if (rules.module(path)) {
        rules.reportModule(findings, path, tree.start(node));
      }
    } else if (
      kind === "identifier" &&
      !/^(call|method|method_parameters|block_parameters|optional_parameter|keyword_parameter|lambda_parameters)$/
        .test(above)
    ) {
      // A name alone may be a call without arguments.
      used(tree.textOf(node), node);
    } else if (kind === "call") {
      const children = tree.children(node);
      const list = children.find((one) => tree.kind(one) === "argument_list");
      const rest = children.filter((one) =>
        !/^(argument_list|block|do_block)$/.test(tree.kind(one))
      );
      const method = rest.at(-1);
      if (method === undefined) continue;
      const name = tree.textOf(method);
      const receiver = rest.length > 1
        ? tree.textOf(rest[0]!).slice(0, 200).replace(/\s+/g, "")
          .replace(/^::/, "")
        : undefined;
      const alone = receiver === undefined || _everywhere.test(receiver);
      const first = list === undefined ? -1 : tree.first(list);
      const text = first < 0 ? undefined : constant(first);
      if (alone) used(name, node);
      else if (/^[A-Z]/.test(receiver)) {
        used(`${receiver.replaceAll("::", ".")}.${name}`, node);
      }
      if (alone && _loaders.has(name)) {
        const target = name === "autoload" && list !== undefined
          ? tree.child(list, 1)
          : first;
        const file = target < 0 ? undefined : constant(target);
        if (file !== undefined) {
          rules.reportModule(
            findings,
            file.replace(/^\.?\//, ""),
            tree.start(node),
          );
        } else if (list !== undefined) {
          dynamic(name, `${name} gets the name of its file at run time`, node);
        }
      }
      if (_evaluators.has(name) && first >= 0) {
        if (text !== undefined) nested(text, node);
        else {dynamic(
            name,
            `${name} runs code that is put together at run time`,
            node,
          );}
      }
      if (_senders.has(name) && first >= 0) {
        if (text !== undefined) {
          for (const part of text.split("::")) used(part, node);
          const path = text.replaceAll("::", ".");
          used(path, node);
          if (/^[A-Z]/.test(text) && rules.hasMembers(path)) {
            dynamic(text, `${text} is taken by its name`, node);
          }
        } else dynamic(name, `${name} gets its name at run time`, node);
      }
      if (
        /^(open|popen|read|foreach|readlines)$/.test(name) &&
        (text === undefined
          ? first >= 0 && name === "popen"
          : text.trim().startsWith("|"))
      ) {
        dynamic(name, `${name} can run a program`, node);
      }
    }
  }
}
