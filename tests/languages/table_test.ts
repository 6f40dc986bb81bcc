/** The table of docs/languages.md is what the data says; MOTE_WRITE=1 writes it. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { languages } from "../../src/languages/languages.ts";

const file = new URL("../../docs/languages.md", import.meta.url);

const clients: Readonly<Record<string, string>> = {
  pip: 'pip: `"rich>=13"`',
  npm: 'npm: `"left-pad@1"`',
  maven: 'Maven: `"group:artifact:1.0"`',
  apt: 'apt: `"libjansson-dev"`',
  go: 'go get: `"example.com/module@v1.2.3"`',
  gem: 'gem: `"rainbow:3.1.1"`',
  cran: 'install.packages: `"R6"`',
};

test("the table in docs/languages.md", () => {
  const rows = Object.values(languages).flatMap(({ name, container }) =>
    container
      ? [
        `| \`${name}\` | \`${container.image}\` | ${
          container.needs.map((one) => `\`${one}\``).join(", ")
        } | ${container.driver ? "yes" : "no"} | ${
          clients[container.installer]
        } |`,
      ]
      : []
  );
  const table = [
    "| `lang` | image, unless you name one | programs it needs | tools, `interactive` | packages |",
    "|---|---|---|---|---|",
    ...rows,
  ].join("\n");
  const text = readFileSync(file, "utf8");
  const [before, rest = ""] = text.split("<!-- languages -->\n");
  const after = rest.slice(rest.indexOf("<!-- end -->"));
  const wanted = `${before}<!-- languages -->\n${table}\n${after}`;
  if (process.env.MOTE_WRITE) writeFileSync(file, wanted);
  else assert.equal(text, wanted, "run this test with MOTE_WRITE=1");
});
