import type { BackendName, Language } from "../options.ts";

/** What Mote knows of a language. */
export interface LanguageData {
  /** Its name. */
  readonly name: Language;
  /** The guest image that runs it; null where the code itself is the guest. */
  readonly guest: string | null;
  /** How code is given: as text, or as a module's bytes or path. */
  readonly code: "source" | "module";
  /** Why `install()` does not know it, if so. */
  readonly noInstall?: string;
  /** Backends that know it all the same. */
  readonly installIn?: readonly BackendName[];
}
