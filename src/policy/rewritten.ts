import type { Prepared } from "./languages/language.ts";

/** Code in which some pieces were replaced, with where everything was before. */
export function rewritten(
  code: string,
  pieces: RegExp,
  replacement: (match: RegExpMatchArray) => string,
): Prepared {
  const parts: string[] = [];
  /** Offsets in the new text, and what they were in the old one. */
  const marks: [number, number][] = [];
  let [from, length] = [0, 0];
  for (const match of code.matchAll(pieces)) {
    const put = replacement(match);
    if (put === match[0]) continue;
    const kept = code.slice(from, match.index);
    parts.push(kept, put);
    length += kept.length + put.length;
    from = match.index + match[0].length;
    marks.push([length, from]);
  }
  if (marks.length === 0) return { text: code };
  parts.push(code.slice(from));
  return {
    text: parts.join(""),
    at(offset) {
      let [low, high] = [0, marks.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (marks[middle]![0] <= offset) low = middle + 1;
        else high = middle;
      }
      const mark = marks[low - 1];
      return mark ? mark[1] + offset - mark[0] : offset;
    },
  };
}
