import type { FileStore } from "../backends/backend.ts";
import type { InstalledLibrary, Progress } from "../result.ts";

/** What an installation needs to know. */
export interface InstallContext {
  /** Where downloads are kept. */
  readonly cacheDir: string;
  /** Where the libraries go. */
  readonly files: FileStore;
  /** What is there already. */
  readonly installed: readonly InstalledLibrary[];
  /** Cancels it. */
  readonly signal: AbortSignal | undefined;
  /** Is told how far it has come. */
  readonly onProgress: (progress: Progress) => void;
}
export declare function installPackages(
  names: readonly string[],
  context: InstallContext,
): Promise<InstalledLibrary[]>;
