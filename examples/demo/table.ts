/** The table that the demo analyses: what is installed on this machine. */
import { execFileSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** A table as CSV, and where it is from. */
export interface Table {
  source: string;
  /** What its rows are. */
  noun: string;
  csv: string;
}

const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;

function toCsv(rows: readonly (readonly [string, string, number])[]): string {
  const lines = rows.map(([name, group, kib]) =>
    `${quote(name)},${quote(group)},${kib}`
  );
  return ["name,group,kib", ...lines, ""].join("\n");
}

/** Debian's packages with their sections and installed sizes. */
function fromDpkg(): Table {
  const format = "${Package}\\t${Section}\\t${Installed-Size}\\n";
  const out = execFileSync("dpkg-query", ["-W", `-f=${format}`], {
    encoding: "utf8",
  });
  const rows = out.trim().split("\n").map((line) => {
    const [name = "", section = "", kib = "0"] = line.split("\t");
    return [
      name,
      section.split("/").at(-1) || "unknown",
      Number(kib) || 0,
    ] as const;
  });
  return { source: "dpkg-query", noun: "packages", csv: toCsv(rows) };
}

/** Without dpkg: the folders below one that every system has. */
function fromFolders(root: string): Table {
  const sizeOf = (path: string): number => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat?.isDirectory()) return stat?.size ?? 0;
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => !entry.isSymbolicLink())
      .reduce((sum, entry) => sum + sizeOf(join(path, entry.name)), 0);
  };
  const rows = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((group) =>
      readdirSync(join(root, group.name)).map((name) =>
        [
          name,
          group.name,
          Math.ceil(sizeOf(join(root, group.name, name)) / 1024),
        ] as const
      )
    );
  return { source: root, noun: "folders", csv: toCsv(rows) };
}

/** A real table of this machine. */
export function readTable(): Table {
  try {
    return fromDpkg();
  } catch {
    return fromFolders("/usr/share");
  }
}
