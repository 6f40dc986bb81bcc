import { type AddCommand, examples } from "./command.ts";
import { Exit } from "./exit.ts";
import { paint } from "./terminal.ts";

/** `mote guest verify` */
export const addGuestVerify: AddCommand = (parent, choose) => {
  const verify = parent.command("verify")
    .summary("hash every guest again")
    .description(
      "Compares every image and every file in the cache with the hash that was kept of it. Ends with 1 when one is damaged; " +
        "a damaged one in the cache is made anew when it is next needed, or removed by `mote guest prune`.",
    )
    .option("--json", "as JSON, one array");
  examples(verify, [["mote guest verify", "1 when one is damaged"]]);
  verify.action(({ json }: { json?: boolean }) =>
    choose(async (surface) => {
      const { verifyGuests } = await import("../guests/catalog.ts");
      const checked = await verifyGuests(surface.signal);
      const damaged = checked.filter(({ fault }) => fault !== undefined);
      if (json) surface.out.write(`${JSON.stringify(checked, null, 2)}\n`);
      else {
        for (const { kind, name, path, fault } of checked) {
          const word = fault === undefined
            ? paint(surface, surface.out, "green", "ok")
            : paint(surface, surface.out, "red", "damaged");
          surface.out.write(
            `${word}  ${kind} ${name}  ${path}${fault ? `  ${fault}` : ""}\n`,
          );
        }
        surface.err.write(
          `${checked.length} checked, ${damaged.length} damaged\n`,
        );
      }
      return damaged.length === 0 ? Exit.ok : Exit.failed;
    })
  );
};
