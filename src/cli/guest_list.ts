import { type AddCommand, examples } from "./command.ts";
import { Exit } from "./exit.ts";
import { age, size, table } from "./terminal.ts";

/** `mote guest list` */
export const addGuestList: AddCommand = (parent, choose) => {
  const list = parent.command("list")
    .summary("what guests there are, in the package and in the cache")
    .description(
      "Lists the guest images of this package, what was compiled of them for this machine, and guests that were built.",
    )
    .option("--json", "as JSON, one array");
  examples(list, [["mote guest list --json", "for a program"]]);
  list.action(({ json }: { json?: boolean }) =>
    choose(async (surface) => {
      const { listGuests } = await import("../guests/catalog.ts");
      const entries = await listGuests();
      if (json) {
        surface.out.write(`${JSON.stringify(entries, null, 2)}\n`);
        return Exit.ok;
      }
      if (entries.length === 0) surface.err.write("there are no guests\n");
      else {
        const now = Date.now();
        table(
          surface,
          ["KIND", "NAME", "HASH", "SIZE", "AGE", "WHAT"],
          entries.map(({ kind, name, sha256, bytes, madeMs, text }) => [
            kind,
            name,
            sha256?.slice(0, 12) ?? "-",
            size(bytes),
            age(now - madeMs),
            text,
          ]),
        );
      }
      return Exit.ok;
    })
  );
};
