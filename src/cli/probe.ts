import type { BackendStatus } from "../backends/backend.ts";
import type { BackendName } from "../options.ts";
import { type AddCommand, examples } from "./command.ts";
import { Exit } from "./exit.ts";
import { paint, printable, type Surface, wrap } from "./terminal.ts";

type Statuses = Readonly<Record<BackendName, BackendStatus>>;

/** `mote probe` */
export const addProbe: AddCommand = (parent, choose) => {
  const probe = parent.command("probe")
    .summary("which backends work here, and why or why not")
    .description(
      "Tries every backend and says whether a session would open, why, and what to do where it would not. The last line " +
        "is what `auto`, the default, takes.",
    )
    .option(
      "--json",
      "as JSON, one object; a backend that does not work has a cure",
    );
  examples(probe, [["mote probe", "as a table"]]);
  probe.action(({ json }: { json?: boolean }) =>
    choose(async (surface) => {
      const [mod, { obstacleOf }] = await Promise.all([
        import("../../mod.ts"),
        import("./cures.ts"),
      ]);
      const found = await mod.probe();
      const names = Object.keys(found) as BackendName[];
      const working = names.filter((name) => found[name].available);
      const obstacle = (name: BackendName) =>
        found[name].available
          ? undefined
          : obstacleOf(name, found[name].reason, working);
      if (json) {
        const all = names.map((name) => [name, {
          ...found[name],
          ...(obstacle(name) && { cure: obstacle(name)!.cure }),
        }]);
        surface.out.write(
          `${JSON.stringify(Object.fromEntries(all), null, 2)}\n`,
        );
      } else showBackends(surface, found, obstacle);
      return Exit.ok;
    })
  );
};

/** Prints a backend a line, with what to do below it. */
export function showBackends(
  surface: Surface,
  found: Statuses,
  obstacle: (name: BackendName) => { why: string; cure: string } | undefined,
): void {
  const { out } = surface;
  const indent = 19;
  const width = Math.max(40, out.columns - indent - 1);
  const heading = `${"BACKEND".padEnd(12)}${"WORKS".padEnd(7)}WHY`;
  out.write(`${paint(surface, out, "bold", heading)}\n`);
  for (const name of Object.keys(found) as BackendName[]) {
    const stuck = obstacle(name);
    const word = paint(
      surface,
      out,
      stuck ? "yellow" : "green",
      (stuck ? "no" : "yes").padEnd(7),
    );
    const lines = [
      ...wrap(printable(stuck?.why ?? found[name].reason), width),
      ...wrap(printable(stuck ? `→ ${stuck.cure}.` : ""), width),
    ].filter((line) => line !== "");
    out.write(
      `${name.padEnd(12)}${word}${lines.join(`\n${" ".repeat(indent)}`)}\n`,
    );
  }
  const auto = found.hyperlight.available ? "hyperlight" : "wasm";
  const works = found[auto].available;
  const word = paint(
    surface,
    out,
    works ? "green" : "yellow",
    (works ? "yes" : "no").padEnd(7),
  );
  out.write(`${"auto".padEnd(12)}${word}takes ${auto}\n`);
}
