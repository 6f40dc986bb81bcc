// Prints what nothing caught and says what mote_run returns for it.
import { inspect } from "node-inspect-extracted";
import { native } from "./native.js";
import { ToolError, ToolInputError } from "./tools.js";
import { emitUncaught } from "./process.js";

const FLAG_TOOL = 0x100;
const FLAG_SPACE = 0x400;

function text(error) {
  const shown = inspect(error);
  // inspect puts an error without frames in brackets; here nothing has to be told apart
  const head = error instanceof Error && /^\[([^]*?)\]( \{\n|$)/.exec(shown);
  return head ? head[1] + head[2] + shown.slice(head[0].length) : shown;
}

export function uncaught(error, inPromise) {
  if (emitUncaught(error, inPromise)) return -1;
  native.write(2, `Uncaught ${inPromise ? "(in promise) " : ""}${text(error)}\n`);
  let code = 1;
  if (error instanceof ToolError && !(error instanceof ToolInputError)) code |= FLAG_TOOL;
  if (error instanceof Error && (error.code === "ENOSPC" || error.code === "EDQUOT")) code |= FLAG_SPACE;
  return code;
}
