import type { Readable, Writable } from "node:stream";

/** A stream that a command writes to. */
export interface Output {
  /** Whether somebody looks at it. */
  readonly isTerminal: boolean;
  /** Its width in characters; 80 where nobody says. */
  readonly columns: number;
  /** The stream itself, where there is one; for what edits lines on a terminal. */
  readonly stream?: Writable;
  /** Writes text. */
  write(text: string): void;
  /** Writes bytes; resolves when there is room for more. */
  bytes(chunk: Uint8Array): Promise<void>;
}

/** Where a command reads from. */
export interface Input {
  /** Whether somebody types it. */
  readonly isTerminal: boolean;
  /** Opens it. */
  stream(): Readable;
}

/** What a command has to work with. */
export interface Surface {
  /** For what is given to the command. */
  readonly in: Input;
  /** For results. */
  readonly out: Output;
  /** For all else. */
  readonly err: Output;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
  /** Whether colours are wanted where somebody looks. */
  readonly colours: boolean;
  /** Whether they are wanted elsewhere too. @default false */
  readonly forceColours?: boolean;
}

const _codes = { bold: 1, red: 31, green: 32, yellow: 33, dim: 2 } as const;

/** A way to set off text. */
export type Paint = keyof typeof _codes;

/** Whether what is written to a stream has colours. */
export function hasColours(surface: Surface, stream: Output): boolean {
  return surface.forceColours === true ||
    (surface.colours && stream.isTerminal);
}

/** Text in a colour, where the stream is a terminal and colours are wanted. */
export function paint(
  surface: Surface,
  stream: Output,
  how: Paint,
  text: string,
): string {
  return hasColours(surface, stream)
    ? `\x1b[${_codes[how]}m${text}\x1b[0m`
    : text;
}
/** Rows under a heading, in columns; the last column is as long as it likes. */
export function table(
  surface: Surface,
  heading: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  const all = [heading, ...rows.map((row) => row.map(printable))];
  const widths = heading.map((_, column) =>
    Math.max(...all.map((row) => row[column]!.length))
  );
  all.forEach((row, index) => {
    const cells = row.map((cell, column) =>
      column === row.length - 1 ? cell : cell.padEnd(widths[column]!)
    );
    const line = cells.join("  ").trimEnd();
    const shown = index === 0
      ? paint(surface, surface.out, "bold", line)
      : line;
    surface.out.write(`${shown}\n`);
  });
}

/** Text without anything that a terminal would act on. */
export function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, " ");
}

/** The same with line feeds left in it. */
export function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}

/** A size for people. */
export function size(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  let [value, unit] = [bytes, 0];
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${
    unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)
  } ${units[unit]}`;
}

/** How long ago something was. */
export function age(ms: number): string {
  const seconds = Math.max(0, ms / 1000);
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

/** Text broken at blanks into lines of at most that many characters, where no word is longer. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines;
}
