/**
 * Each language's program for each behaviour that the suite names.
 *
 * A new language adds one file that satisfies {@link Programs}; the suite itself does not change.
 */
import { javascript } from "./programs/javascript.ts";
import { python } from "./programs/python.ts";
import { script } from "./programs/script.ts";

/** What a language must be able to do for the suite to judge a backend with it. */
export interface Programs {
  /** Prints `text` and a line break. */
  print(text: string): string;
  /** Prints `out` to stdout, `err` to stderr, a line break after each. */
  both(out: string, err: string): string;
  /** Ends with this exit code. */
  exit(code: number): string;
  /** Prints `before`, then fails with an uncaught error that says `message`. */
  raise(before: string, message: string): string;
  /** Is no program of the language. */
  broken: string;
  /** Copies stdin to stdout, byte for byte. */
  echoStdin: string;
  /** Prints the environment variable, or an empty line. */
  env(name: string): string;
  /** Prints the arguments as a JSON array. */
  args: string;
  /** Prints the working directory. */
  cwd: string;
  /** Writes these bytes to stdout and nothing else. */
  rawBytes(bytes: readonly number[]): string;
  /** Writes `count` bytes of the letter x to stdout. */
  bigOutput(count: number): string;

  /** Prints the file's text, without a line break of its own. */
  read(path: string): string;
  /** Makes the file with this text. */
  write(path: string, text: string): string;
  /** Adds text to the end of the file. */
  append(path: string, text: string): string;
  /** Makes the file with `count` bytes. */
  writeBytes(path: string, count: number): string;
  mkdir(path: string): string;
  remove(path: string): string;
  /** Makes the symlink `path`, which points at `target`. */
  symlink(target: string, path: string): string;
  /** Prints the names in a directory, sorted, one a line. */
  list(path: string): string;
  /** Tries to read; prints "refused" when that fails, "read" when not. */
  readCaught(path: string): string;
  /** Tries to write; prints "refused" when that fails, "written" when not. */
  writeCaught(path: string): string;

  loopForever: string;
  /** Prints `text`, makes sure that it is out, then loops without end. */
  printThenLoop(text: string): string;
  sleepForever: string;
  memoryBomb: string;
  /** Runs into the memory limit, handles it, prints "caught". */
  memoryCaught: string;
  outputFlood: string;
  /** Writes a file until the quota ends it, and does not handle that. */
  diskFill: string;
  /** The same, handled; prints "caught". */
  diskFillCaught: string;
  /** Makes `count` empty files. */
  manyFiles(count: number): string;
  deepRecursion: string;

  setState(name: string, value: number): string;
  getState(name: string): string;
  /** Prints a number that no two runs share. */
  random: string;

  /** Sends a request and prints status, text and the header x-answer; prints "refused " and the message when it is not sent; undefined where the language cannot. */
  http?(
    method: string,
    url: string,
    options?: { headers?: Record<string, string>; body?: string },
  ): string;
  /** Calls the tool and prints its answer as JSON without blanks. */
  tool(name: string, input: Record<string, unknown>): string;
  /** The same; prints "caught " and the message when the call fails. */
  toolCaught(name: string, input: Record<string, unknown>): string;
  /** Calls the tool `count` times, one after the other, then prints "called". */
  toolOften(name: string, count: number): string;
  /** Calls all at once and prints the answers as a JSON array without blanks; undefined where the language can't. */
  toolsAtOnce?(
    calls: readonly (readonly [string, Record<string, unknown>])[],
  ): string;
}

/** The programs of each language, by the name that `lang` has. */
export const programs: Record<string, Programs> = {
  script,
  python,
  javascript,
};
