import type { ReplLanguage, RunCode, Step } from "./repl_language.ts";

// Exit codes by which the driver says what became of the input.
const _failed = 160;
const _more = 161;
const _exit = 162;

/**
 * Runs one piece of input, in the guest: its own `codeop` decides whether it is whole, and "single" is the
 * mode in which Python prints the value of an expression. The compiler is kept, since it remembers
 * `from __future__ import`.
 */
const _driver = `
import codeop, linecache, sys, traceback
state = codeop.__dict__.setdefault("_mote", {"compiler": codeop.CommandCompiler(), "count": 0})
name = "<input-%d>" % state["count"]
try:
    if mode == "single":
        program = state["compiler"](text, name, mode)
    else:
        program = state["compiler"].compiler(text, name, mode)
    if program is None:
        sys.exit(${_more})
except (SyntaxError, OverflowError, ValueError) as error:
    try:
        # codeop of 3.11 calls incomplete what can never be whole; the compiler has a better word for it.
        compile(text, name, mode, dont_inherit=True)
    except Exception as better:
        error = better
    traceback.print_exception(type(error), error.with_traceback(None), None)
    sys.exit(${_failed})
state["count"] += 1
linecache.cache[name] = (len(text), None, [line + "\\n" for line in text.split("\\n")], name)
try:
    exec(program, scope)
except SystemExit as stop:
    state["exit"] = stop.code
    sys.exit(${_exit})
except BaseException as error:
    trace = error.__traceback__ and error.__traceback__.tb_next
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, trace
    if sys.excepthook is sys.__excepthook__:
        traceback.print_exception(type(error), error, trace)
    else:
        sys.excepthook(type(error), error, trace)
    sys.exit(${_failed})
`;

/** Python as its own prompt speaks it. */
export const pythonRepl: ReplLanguage = {
  title: "Python",
  prompt: ">>> ",
  more: "... ",
  begin: () => Promise.resolve(),
  step: async (text, run, last) => {
    // A compound statement is whole after an empty line, which the end of input stands for.
    const step = await _step(last ? `${text}\n` : text, "single", run);
    return step.kind === "more" && last ? _step(text, "exec", run) : step;
  },
  load: (text, run) => _step(text, "exec", run),
};

async function _step(
  text: string,
  mode: "single" | "exec",
  run: RunCode,
): Promise<Step> {
  // What JSON writes is a literal of Python's too.
  const literal = JSON.stringify(text);
  const { exitCode } = await run(
    `exec(${JSON.stringify(_driver)}, ` +
      `{"text": ${literal}, "mode": "${mode}", "scope": globals()})`,
  );
  if (exitCode === _more) return { kind: "more" };
  if (exitCode !== _exit) return { kind: "done", ok: exitCode === 0 };
  const ended = await run(
    'raise SystemExit(__import__("codeop")._mote["exit"])',
  );
  return { kind: "exit", code: ended.exitCode };
}
