import type { BackendName, Language } from "../options.ts";

/** What Mote knows of a language. */
export interface LanguageData {
  /** Its name. */
  readonly name: Language;
  /** The guest image that runs it; null where the code itself is the guest, or where there is none. */
  readonly guest: string | null;
  /** How code is given: as text, or as a module's bytes or path. */
  readonly code: "source" | "module";
  /** How a container runs it; absent where none does. */
  readonly container?: ContainerLanguage;
  /** Why `install()` does not know it outside of containers, if so. */
  readonly noInstall?: string;
  /** Backends that know it all the same. */
  readonly installIn?: readonly BackendName[];
}

/** Who provides containers. */
export const containers: readonly BackendName[] = Object.freeze<BackendName[]>([
  "docker",
  "podman",
  "kubernetes",
]);

/**
 * How a container runs a language. In words of commands and values of `env`, `{file}` is the program's file, `{dir}` the
 * folder of the run, which is its own and executable, `{libraries}` where installed packages are, `{workspace}` the
 * workspace, `{main}` what `names` says, and `{heapMb}` three quarters of the memory limit.
 */
export interface ContainerLanguage {
  /** The image, unless a session names another. */
  readonly image: string;
  /** The program's file in the folder of the run. */
  readonly file: string;
  /** Names that depend on the program; `file` and no `{main}` without it. */
  readonly names?: (code: string) => { file: string; main: string };
  /** Files beside the program. */
  readonly files?: Readonly<Record<string, string>>;
  /** Programs that an image must have. */
  readonly needs: readonly string[];
  /** What compiles it; a failure ends the run with the compiler's exit code and words. */
  readonly compile?: readonly string[];
  /** What runs it; arguments of the run come behind. */
  readonly run: readonly string[];
  /** Environment beside the session's, which comes first. */
  readonly env?: Readonly<Record<string, string>>;
  /** Folders that are searched for programs before those of the image. */
  readonly path?: readonly string[];
  /** What it says at the end of its error output when memory ran out, where its driver does not say it. */
  readonly outOfMemory?: RegExp;
  /** The driver that gives it tools and keeps its state between runs; without one it has neither. */
  readonly driver?: "python" | "node";
  /** The client that installs packages. */
  readonly installer: "pip" | "npm" | "maven" | "apt" | "go" | "gem" | "cran";
}

/** What the words of a container's language stand for in one run. */
export interface Places {
  /** The program's file. */
  readonly file: string;
  /** The folder of the run. */
  readonly dir: string;
  /** Where installed packages are. */
  readonly libraries: string;
  /** The workspace. */
  readonly workspace: string;
  /** What `names` says. */
  readonly main: string;
  /** Three quarters of the memory limit, in MiB. */
  readonly heapMb: string;
}

/** Puts places into a word of a command. */
export function fill(word: string, places: Places): string {
  return word.replace(
    /\{(file|dir|libraries|workspace|main|heapMb)\}/g,
    (_, name: keyof Places) => places[name],
  );
}

/** What a language's own heap may be under a memory limit, in MiB: the rest is for everything else that it needs. */
export function heapMb(memoryMb: number): string {
  return String(Math.max(1, Math.floor(memoryMb * 3 / 4)));
}
