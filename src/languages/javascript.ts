import { containers, type LanguageData } from "./language.ts";
import { nodeHeap, nodeOutOfMemory } from "./node.ts";

/** QuickJS-ng, in containers Node; code is an ES module. */
export const javascript: LanguageData = {
  name: "javascript",
  guest: "javascript",
  code: "source",
  container: {
    image: "node:24-slim",
    file: "main.mjs",
    needs: ["node"],
    run: ["node", nodeHeap, "{file}"],
    outOfMemory: nodeOutOfMemory,
    driver: "node",
    installer: "npm",
  },
  noInstall: "packages of npm are installed in containers only",
  installIn: containers,
};
