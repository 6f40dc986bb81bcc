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

/**
 * How a container runs a language. In words of commands, `{file}` is the program's file, `{dir}` the folder of the run,
 * which is its own and executable, `{libraries}` where installed packages are, and `{workspace}` the workspace.
 */
export interface ContainerLanguage {
  /** The image, unless a session names another. */
  readonly image: string;
  /** The program's file in the folder of the run. */
  readonly file: string;
  /** Programs that an image must have. */
  readonly needs: readonly string[];
  /** What compiles it; a failure ends the run with the compiler's exit code and words. */
  readonly compile?: readonly string[];
  /** What runs it; arguments of the run come behind. */
  readonly run: readonly string[];
  /** Environment beside the session's. */
  readonly env?: Readonly<Record<string, string>>;
  /** The driver that gives it tools and keeps its state between runs; without one it has neither. */
  readonly driver?: "python" | "node";
}
