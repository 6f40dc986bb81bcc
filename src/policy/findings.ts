import type { PolicyRuleName, Violation } from "../errors.ts";
import type { Severity } from "../security_policy.ts";

const _order: readonly Severity[] = ["safe", "low", "medium", "high"];

/** Most findings that are kept; with more the code is refused whatever they are. */
const _most = 200;
const _excerptMax = 120;

/** What was found, before it is known where that is. */
export interface Finding {
  /** The kind of rule. */
  readonly rule: PolicyRuleName;
  /** What the rule is about. */
  readonly name: string;
  /** What it means. */
  readonly message: string;
  /** How bad it is. */
  readonly severity: Severity;
  /** What to do. */
  readonly hint: string;
}

/** Collects what is found in one piece of code. */
export class Findings {
  readonly #found = new Map<string, Violation>();
  readonly #threshold: Severity;
  readonly #original: string;
  readonly #at: (offset: number) => number;
  #lines: number[] | undefined;
  #origin: number | undefined;
  #over = false;

  /** `at` turns an offset in the code that is parsed into one in the code that was given. */
  constructor(
    original: string,
    threshold: Severity,
    at: (offset: number) => number = (offset) => offset,
  ) {
    this.#original = original;
    this.#threshold = threshold;
    this.#at = at;
  }

  /** Adds one; the same at the same line is one. */
  add(finding: Finding, offset?: number): void {
    const where = this.#origin ?? offset;
    const place = where === undefined ? undefined : this.#place(where);
    const key = `${finding.rule} ${finding.name} ${place?.line}`;
    const known = this.#found.get(key);
    if (known) {
      if (place && known.column! > place.column) known.column = place.column;
      return;
    }
    if (this.#found.size < _most) {
      const blocks = this.#blocks(finding.severity);
      this.#found.set(key, { ...finding, blocks, ...place });
    } else this.#over = true;
  }

  /** Says of everything that `work` finds that it is at this place: code inside of a string. */
  inside(offset: number, work: () => void): void {
    const outer = this.#origin;
    this.#origin ??= offset;
    try {
      work();
    } finally {
      this.#origin = outer;
    }
  }

  /** All of them, by line. */
  all(): Violation[] {
    const all = [...this.#found.values()].sort((a, b) =>
      (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0)
    );
    if (this.#over) {
      all.push({
        rule: "limit",
        name: "findings",
        message: `there are more than ${_most} findings`,
        severity: "high",
        blocks: this.#blocks("high"),
        hint: "Correct these first.",
      });
    }
    return all;
  }

  #blocks(severity: Severity): boolean {
    if (this.#threshold === "safe" || severity === "safe") return false;
    return _order.indexOf(severity) >= _order.indexOf(this.#threshold);
  }

  #place(offset: number): { line: number; column: number; excerpt: string } {
    const text = this.#original;
    const lines = this.#lines ??= _lineStarts(text);
    const at = Math.min(this.#at(offset), text.length);
    let [low, high] = [0, lines.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (lines[middle]! <= at) low = middle;
      else high = middle - 1;
    }
    const start = lines[low]!;
    const end = lines[low + 1] ?? text.length;
    // In a long line, what is around the place.
    const from = Math.max(start, Math.min(at - 20, end - _excerptMax));
    const shown = at - start < _excerptMax ? start : from;
    return {
      line: low + 1,
      column: at - start + 1,
      excerpt: text.slice(shown, Math.min(end, shown + _excerptMax)).trim(),
    };
  }
}

function _lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 10 || (code === 13 && text.charCodeAt(at + 1) !== 10)) {
      starts.push(at + 1);
    }
  }
  return starts;
}
