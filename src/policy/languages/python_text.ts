import { type Atoms, concat, nothing } from "../atoms.ts";
import type { Prepared } from "./language.ts";

/** Encodings in which ASCII means the same everywhere. */
const _plain =
  /^(utf-?8(-sig)?|u8|ascii|us-ascii|latin-?1|l1|iso-?8859-?\d{1,2}|cp125\d|windows-125\d|cp437|cp850|koi8-[ru]|mac-?roman)$/;

/** Code as CPython reads it: a lone carriage return ends a line, and the first lines may name an encoding. */
export function preparePython(code: string): Prepared {
  const text = code.includes("\r") ? code.replace(/\r(?!\n)/g, "\n") : code;
  const body = text.startsWith("\ufeff") ? ` ${text.slice(1)}` : text;
  const [first = "", second = ""] = body.slice(0, 4_000).split("\n", 2);
  const cookie = /^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)/;
  const named = cookie.exec(first) ??
    (/^[ \t\f]*(#|\r?$)/.test(first) ? cookie.exec(second) : null);
  const encoding = named?.[1]?.toLowerCase().replaceAll("_", "-");
  return encoding === undefined || _plain.test(encoding)
    ? { text: body }
    : { text: body, unclear: `the encoding ${encoding}` };
}

/** A name as Python compares it. */
export function identifier(text: string): string {
  for (let at = 0; at < text.length; at++) {
    if (text.charCodeAt(at) > 127) return text.normalize("NFKC");
  }
  return text;
}

const _simple: Readonly<Record<string, string>> = {
  "\n": "",
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** What a string literal without parts is; text put together at run time where that can't be told. */
export function literal(source: string): Atoms {
  const head = /^([A-Za-z]*)("""|'''|"|')/.exec(source);
  if (!head || source.length > 20_000) return ["c"];
  const [all, prefix, quote] = head as unknown as [string, string, string];
  const body =
    source.endsWith(quote) && source.length >= all.length + quote.length
      ? source.slice(all.length, -quote.length)
      : source.slice(all.length);
  const marks = prefix.toLowerCase();
  const text = marks.includes("r") ? body : unescape(body, marks.includes("b"));
  return text === undefined ? ["c"] : [`t${text}`];
}

/** A text with its escapes replaced; undefined where one is known to Python only. */
export function unescape(body: string, bytes = false): string | undefined {
  if (!body.includes("\\")) return body;
  let known = true;
  const text = body.replace(
    /\\(\r?\n|[0-7]{1,3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^}]*\}|[^])/g,
    (whole, escape: string) => {
      const letter = escape[0]!;
      if (letter === "\r" || letter === "\n") return "";
      if (letter >= "0" && letter <= "7") {
        return String.fromCharCode(parseInt(escape, 8));
      }
      if (letter === "x" && escape.length > 1) {
        return String.fromCharCode(parseInt(escape.slice(1), 16));
      }
      if (bytes || escape.length === 1) return _simple[letter] ?? whole;
      if (letter === "N") known = false;
      else {
        const point = parseInt(escape.slice(1), 16);
        if (point > 0x10ffff) known = false;
        else return String.fromCodePoint(point);
      }
      return "";
    },
  );
  return known ? text : undefined;
}

/** What a text begins with before the first place that is filled in. */
export function formatPrefix(atoms: Atoms, mark: RegExp): Atoms {
  return atoms.flatMap((atom) => {
    if (atom[0] !== "t" && atom[0] !== "c") return [];
    const at = atom.slice(1).search(mark);
    if (at < 0) return atom[0] === "t" ? [atom] : ["c"];
    return [`c${atom.slice(1, at + 1)}`];
  });
}

/** Several texts, one after the other. */
export function joined(parts: readonly Atoms[]): Atoms {
  return parts.length === 0 ? nothing : parts.reduce(concat);
}
