import { type Options, parse, type Program } from "acorn";
import type { ReplLanguage, RunCode, Step } from "./repl_language.ts";

const _exit = 162;

const _syntax: Options = {
  ecmaVersion: "latest",
  sourceType: "script",
  allowAwaitOutsideFunction: true,
  allowImportExportEverywhere: true,
  allowHashBang: true,
};

/**
 * Runs once in a fresh interpreter. `process.exit` gets an exit code of its own, since 0 and 1 are what every run ends
 * with; what is assigned to `$mote` is printed, and is `_` until the program says otherwise.
 */
const _hook = `{
  const { inspect } = await import("node:util");
  const own = Symbol.for("mote.exit");
  const hidden = (name, property) =>
    Object.defineProperty(globalThis, name, { configurable: true, ...property });
  if (!(own in globalThis)) hidden(own, { value: process.exit });
  const exit = globalThis[own];
  let value;
  hidden("$mote", {
    get: () => (code) => exit.call(process, code),
    set: (shown) => {
      value = shown;
      console.log(inspect(shown));
    },
  });
  hidden("_", {
    get: () => value,
    set: (own) => hidden("_", { value: own, writable: true, enumerable: true }),
  });
  process.exit = (code) => {
    const end = code ?? process.exitCode ?? 0;
    hidden("$mote", { value: () => exit.call(process, end) });
    return exit.call(process, ${_exit});
  };
}`;

/** JavaScript as Node's prompt speaks it: the value of a last expression is printed and kept as `_`. */
export const javascriptRepl: ReplLanguage = {
  title: "JavaScript",
  prompt: "> ",
  more: "... ",
  begin: async (run) => void await run(_hook),
  step: (text, run, last) => {
    const { code, whole } = prepared(text);
    return whole || last ? _run(code, run) : Promise.resolve({ kind: "more" });
  },
  load: _run,
};

async function _run(code: string, run: RunCode): Promise<Step> {
  const { exitCode } = await run(code);
  if (exitCode !== _exit) return { kind: "done", ok: exitCode === 0 };
  const ended = await run("$mote()");
  return { kind: "exit", code: ended.exitCode };
}

/** Input as it is run, and whether it is whole. */
export function prepared(text: string): { code: string; whole: boolean } {
  // As at Node's prompt, braces are an object where they can be one.
  if (/^\s*\{/.test(text) && !/;\s*$/.test(text)) {
    const object = `(${text.trim()}\n)`;
    if (_parse(object).program) return { code: _shown(object), whole: true };
  }
  const { program, missing } = _parse(text);
  // What acorn does not know the guest may, and its own words are the better ones.
  return { code: program ? _shown(text, program) : text, whole: !missing };
}

function _parse(text: string): { program?: Program; missing?: boolean } {
  try {
    return { program: parse(text, _syntax) };
  } catch (error) {
    const { pos, message } = error as { pos?: number; message: string };
    if (/Unterminated template|Unterminated comment/.test(message)) {
      return { missing: true };
    }
    // A string that goes on after a backslash at the end of the line.
    if (/Unterminated string/.test(message)) {
      return { missing: /\\\n?$/.test(text) };
    }
    return { missing: pos !== undefined && text.slice(pos).trim() === "" };
  }
}

/** Input whose last statement, if it is an expression, prints its value. */
function _shown(text: string, program = _parse(text).program): string {
  const last = program?.body.at(-1);
  if (last?.type !== "ExpressionStatement") return text;
  if (last.directive === "use strict") return text;
  const statement = text.slice(last.start, last.end).replace(/\s*;$/, "");
  // Short and on the same line, so that the positions of errors are nearly right.
  return `${text.slice(0, last.start)}$mote=(${statement}\n)`;
}
