import { type AddCommand, examples } from "./command.ts";
import { Exit } from "./exit.ts";
import { Meter } from "./meter.ts";
import { paint, size } from "./terminal.ts";
import { seconds, word } from "./values.ts";

const _targets = ["x86_64-hyperlight-none", "x86_64-unknown-none"] as const;

interface Options {
  readonly out?: string;
  readonly timeout: string;
  readonly keepTemplate?: boolean;
  readonly target: string;
}

/** `mote guest build` */
export const addGuestBuild: AddCommand = (parent, choose) => {
  const build = parent.command("build")
    .summary("build a guest of your own")
    .description(
      "Builds the crate in DIR, or without DIR the template that comes with Mote, and keeps the ELF in the cache. " +
        "Prints where it is; give that, or DIR itself, as guestBinaryPath.",
    )
    .argument("[dir]", "folder with the guest's Cargo.toml")
    .option("-o, --out <file>", "copy the ELF there as well")
    .option(
      "--timeout <seconds>",
      "how long the build may take, 1 to 7200",
      "600",
    )
    .option("--keep-template", "keep the build folder: the next build is short")
    .option("--target <triple>", _targets.join(" or "), _targets[0]);
  examples(build, [[
    "mote guest build guest --keep-template",
    "a crate, again and again",
  ], ["mote guest build --out hello.elf", "the template, and a copy of it"]]);
  build.action((dir: string | undefined, options: Options) => {
    const buildTimeoutMs = seconds(options.timeout, 1, 7_200) * 1_000;
    const target = word(options.target, _targets);
    const { out, keepTemplate } = options;
    choose(async (surface) => {
      const [own, { cacheDir }, { loadHost }, { copyFile }] = await Promise
        .all([
          import("../guests/own.ts"),
          import("../cache.ts"),
          import("../host.ts"),
          import("node:fs/promises"),
        ]);
      const meter = new Meter(surface);
      const { guest, fresh, folder } = await own.buildOwnGuest(dir, {
        cacheDir: cacheDir(await loadHost()),
        buildTimeoutMs,
        keepTemplate,
        target,
        signal: surface.signal,
        onProgress: meter.progress,
      }).finally(() => meter.end());
      if (out !== undefined) await copyFile(guest.path, out);
      const done = paint(
        surface,
        surface.err,
        "green",
        fresh ? "built" : "found",
      );
      surface.err.write(
        `${done} guest ${guest.name}, ${
          size(guest.bytes)
        }, Hyperlight ${guest.hyperlight}, sha256 ${guest.sha256}\n`,
      );
      if (folder) surface.err.write(`build folder ${folder}\n`);
      surface.out.write(`${out ?? guest.path}\n`);
      return Exit.ok;
    });
  });
};
