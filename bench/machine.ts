import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { arch, cpus, loadavg, release, totalmem } from "node:os";
import process from "node:process";

/** What a figure depends on beside the code. */
export function machine(): Record<string, unknown> {
  const { version } = JSON.parse(
    readFileSync(new URL("../deno.json", import.meta.url), "utf8"),
  );
  return {
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    arch: arch(),
    kernel: release(),
    load: loadavg().map((value) => Number(value.toFixed(2))),
    memoryKb: Math.round(totalmem() / 1024),
    runtime: process.versions.deno
      ? `deno ${process.versions.deno}`
      : `node ${process.versions.node}`,
    mote: version,
    commit: commit(),
    date: new Date().toISOString(),
  };
}

function commit(): string | null {
  try {
    const dir = new URL("..", import.meta.url).pathname;
    const text = execFileSync("git", [
      "-C",
      dir,
      "rev-parse",
      "--short",
      "HEAD",
    ], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return text.trim();
  } catch {
    return null;
  }
}
