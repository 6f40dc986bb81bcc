import type { Atoms } from "../atoms.ts";
import type { Prepared } from "./language.ts";

const _simple: Readonly<Record<string, string>> = {
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** Code as it is; a byte order mark is a blank. */
export function prepareScript(code: string): Prepared {
  return { text: code.startsWith("\ufeff") ? ` ${code.slice(1)}` : code };
}

/** A name with its escapes replaced. */
export function word(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(
    /\\u(?:([0-9a-fA-F]{4})|\{([0-9a-fA-F]{1,6})\})/g,
    (_, four, braced) => _point(parseInt(four ?? braced, 16)),
  );
}

/** What is between the quotes of a string, or in a template without parts, as text. */
export function unquoted(body: string): string {
  if (!body.includes("\\")) return body;
  return body.replace(
    /\\(\r\n|[\n\r\u2028\u2029]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|u\{[0-9a-fA-F]{1,6}\}|[0-3]?[0-7]{1,2}|[^])/g,
    (_, escape: string) => {
      const letter = escape[0]!;
      if (/[\r\n\u2028\u2029]/.test(letter)) return "";
      if (escape.length > 1 && (letter === "x" || letter === "u")) {
        return _point(parseInt(escape.replace(/[xu{}]/g, ""), 16));
      }
      if (/[0-7]/.test(letter)) return String.fromCharCode(parseInt(escape, 8));
      return _simple[letter] ?? letter;
    },
  );
}

/** The text of a string literal. */
export function stringAtoms(source: string): Atoms {
  return source.length > 20_000 ? ["c"] : [`t${unquoted(source.slice(1, -1))}`];
}

function _point(point: number): string {
  return point > 0x10ffff ? "" : String.fromCodePoint(point);
}
