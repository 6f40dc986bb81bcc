/** A program of each container language for each case. */
import { bash, c, cpp, go, java } from "./programs/compiled.ts";
import {
  javascript,
  python,
  r,
  ruby,
  typescript,
} from "./programs/interpreted.ts";

/** What a language must show. */
export interface LanguageCase {
  /** Where its image is below the prefix of MOTE_TEST_IMAGES. */
  readonly image: string;
  /** A file of the workspace that `whole` uses. */
  readonly helper: { readonly name: string; readonly text: string };
  /** Prints "helped ARG1 ARG2 STDIN", says "err" on stderr, writes "made" to out.txt and ends with 3. */
  readonly whole: string;
  /** Is no program of the language, and what is said about it. */
  readonly broken: string;
  readonly complaint: RegExp;
  /** Fails while it runs, and what is said then. */
  readonly fails: string;
  readonly failure: RegExp;
  /** Runs for ever. */
  readonly loop: string;
  /** Fills the memory; absent where that takes too long to be worth it. */
  readonly fills?: string;
  /** A package, a program that prints "installed" with it, and what the package is called afterwards. */
  readonly install?: {
    readonly packages: readonly string[];
    readonly code: string;
    readonly name: string;
    /** A Dockerfile's lines after FROM, and files beside it: an image with a registry of its own. */
    readonly registry?: {
      readonly lines: readonly string[];
      readonly files: Readonly<Record<string, string>>;
    };
  };
}

/** By language. */
export const cases: Readonly<Record<string, LanguageCase>> = {
  bash,
  c,
  cpp,
  go,
  java,
  javascript,
  python,
  r,
  ruby,
  typescript,
};
