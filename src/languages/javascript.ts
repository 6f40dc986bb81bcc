import type { LanguageData } from "./language.ts";

/** QuickJS-ng, in containers Node; code is an ES module. */
export const javascript: LanguageData = {
  name: "javascript",
  guest: "javascript",
  code: "source",
  container: {
    image: "node:24-slim",
    file: "main.mjs",
    needs: ["node"],
    run: ["node", "{file}"],
    driver: "node",
  },
  noInstall: "packages of npm cannot be installed in this version",
};
