/** `deno task build`: the native library, where `ffi/load.ts` looks for it. */
import { copyFileSync, mkdirSync, renameSync, statSync } from "node:fs";
import { buildRelease, missingForBuild, root } from "./cargo.ts";

/** The file name that the library has on this system. */
const libraryName =
  { linux: "libmote.so", darwin: "libmote.dylib", windows: "mote.dll" }[
    Deno.build.os as string
  ] ?? "libmote.so";

/** Where the built library is put. */
export const libraryPath = `${root}/target/release/${libraryName}`;

const seconds = (since: number): string =>
  `${((performance.now() - since) / 1000).toFixed(1)} s`;

/** Draws one line on a terminal, and a line each ten seconds elsewhere. */
function progress(): {
  step(done: number, total: number, name: string): void;
  end(): void;
} {
  const terminal = Deno.stderr.isTerminal();
  const started = performance.now();
  const encoder = new TextEncoder();
  const write = (text: string) => Deno.stderr.writeSync(encoder.encode(text));
  let last = 0;
  return {
    step(done, total, name) {
      const now = performance.now();
      if (now - last < (terminal ? 100 : 10_000)) return;
      last = now;
      const width = 24;
      const filled = Math.round((done / total) * width);
      const bar = "█".repeat(filled) + "░".repeat(width - filled);
      const line = `library  ${bar}  ${done}/${total} crates  ${
        seconds(started)
      }  ${name}`;
      write(
        terminal
          ? `\r\x1b[2K${line.slice(0, Deno.consoleSize().columns - 1)}`
          : `${line}\n`,
      );
    },
    end() {
      if (terminal) write("\r\x1b[2K");
    },
  };
}

/** Builds the library and returns its path. */
export async function buildLibrary(): Promise<string> {
  const missing = await missingForBuild();
  if (missing.length > 0) {
    throw new Error(
      `Cannot build the native library:\n  ${missing.join("\n  ")}`,
    );
  }
  const started = performance.now();
  const bar = progress();
  let files: string[];
  try {
    files = await buildRelease("mote", bar.step);
  } finally {
    bar.end();
  }
  const built = files.find((file) => file.endsWith(libraryName));
  if (!built) {
    throw new Error(`Cannot find ${libraryName} among what cargo made`);
  }
  if (built !== libraryPath) {
    mkdirSync(libraryPath.slice(0, libraryPath.lastIndexOf("/")), {
      recursive: true,
    });
    // Renamed into place: a process that has the old one mapped keeps it.
    const fresh = `${libraryPath}.${Deno.pid}`;
    copyFileSync(built, fresh);
    renameSync(fresh, libraryPath);
  }
  const size = (statSync(libraryPath).size / 2 ** 20).toFixed(1);
  console.error(`library  ${libraryPath}  ${size} MiB  ${seconds(started)}`);
  return libraryPath;
}

if (import.meta.main) {
  try {
    await buildLibrary();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}
