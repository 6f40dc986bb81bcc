import { isSandboxError } from "../errors.ts";
import { paint, printableLines, type Surface } from "./terminal.ts";

/** Says on stderr what went wrong: the code and the message, or where an error that has no code came from. */
export function reportError(surface: Surface, error: unknown): void {
  const { code, message, stack } = error as {
    code?: string;
    message?: string;
    stack?: string;
  };
  const word = paint(surface, surface.err, "red", code ?? "error");
  const text = code ? message : stack;
  surface.err.write(`${word}: ${printableLines(text ?? String(error))}\n`);
}

/** Whether an error says no more than that the command was told to end. */
export function isEnding(surface: Surface, error: unknown): boolean {
  return surface.signal.aborted && isSandboxError(error, "ABORTED");
}
