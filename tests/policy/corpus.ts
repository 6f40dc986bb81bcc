/** Reads the files of attempts to get past a policy. */
import { readFileSync } from "node:fs";

const signs: Readonly<Record<string, string>> = {
  "⏎": "\n",
  "␍": "\r",
  "␌": "\f",
  "␉": "\t",
  "␤": "\u2028",
};

/** One attempt. */
export interface Evasion {
  /** What kind it is. */
  kind: string;
  /** The code. */
  code: string;
  /** Whether it is a script and no module. */
  sloppy: boolean;
}

/** All attempts in a language. */
export function evasions(language: "python" | "javascript"): Evasion[] {
  const file = new URL(`evasions_${language}.txt`, import.meta.url);
  const found: Evasion[] = [];
  let kind = "";
  for (const line of readFileSync(file, "utf8").split("\n").slice(1)) {
    if (line === "") continue;
    if (line.startsWith("## ")) {
      kind = line.slice(3);
      continue;
    }
    const sloppy = language === "javascript" && line.startsWith("!");
    const code = (sloppy ? line.slice(1) : line)
      .replace(/[⏎␍␌␉␤]/g, (sign) => signs[sign]!);
    found.push({ kind, code, sloppy });
  }
  return found;
}
