import type { AddCommand } from "./command.ts";
import { Exit } from "./exit.ts";
import { paint } from "./terminal.ts";

/** `mote probe` */
export const addProbe: AddCommand = (parent, choose) => {
  parent.command("probe")
    .summary("which backends work here, and why or why not")
    .description("Tries every backend and says what was found, or what to do.")
    .option("--json", "as JSON, one object")
    .action(({ json }: { json?: boolean }) =>
      choose(async (surface) => {
        const { probe } = await import("../../mod.ts");
        const found = await probe();
        if (json) {
          surface.out.write(`${JSON.stringify(found, null, 2)}\n`);
          return Exit.ok;
        }
        for (const [name, { available, reason }] of Object.entries(found)) {
          const word = available
            ? paint(surface, surface.out, "green", "yes")
            : paint(surface, surface.out, "yellow", "no ");
          surface.out.write(`${name.padEnd(10)}  ${word}  ${reason}\n`);
        }
        return Exit.ok;
      })
    );
};
