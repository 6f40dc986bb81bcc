import { type AddCommand, examples } from "./command.ts";
import { Exit } from "./exit.ts";
import { size } from "./terminal.ts";
import { durationMs } from "./values.ts";

interface Options {
  readonly olderThan: string;
  readonly all?: boolean;
  readonly dryRun?: boolean;
}

/** `mote guest prune` */
export const addGuestPrune: AddCommand = (parent, choose) => {
  const prune = parent.command("prune")
    .summary("remove guests from the cache that were not used lately")
    .description(
      "Removes built guests, build folders and compiled images that were not used for a while, and what is damaged or left " +
        "over. Everything removed is made anew when it is needed.",
    )
    .option("--older-than <duration>", "such as 12h or 30d", "30d")
    .option("--all", "remove everything")
    .option("-n, --dry-run", "say what would be removed, remove nothing");
  examples(prune, [[
    "mote guest prune --older-than 7d -n",
    "what a week without use would cost",
  ], ["mote guest prune --all", "everything"]]);
  prune.action(({ olderThan, all, dryRun }: Options) => {
    const ageMs = all ? 0 : durationMs(olderThan);
    choose(async (surface) => {
      const { pruneGuests } = await import("../guests/catalog.ts");
      const removed = await pruneGuests({
        unusedMs: ageMs,
        dryRun: dryRun === true,
        signal: surface.signal,
      });
      const bytes = removed.reduce((sum, entry) => sum + entry.bytes, 0);
      for (const { kind, name, path } of removed) {
        surface.out.write(`${kind} ${name}  ${path}\n`);
      }
      surface.err.write(
        `${dryRun ? "would remove" : "removed"} ${removed.length}, ${
          size(bytes)
        }\n`,
      );
      return Exit.ok;
    });
  });
};
