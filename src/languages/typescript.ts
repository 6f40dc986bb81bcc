import { containers, type LanguageData } from "./language.ts";
import { nodeHeap, nodeOutOfMemory } from "./node.ts";

/** TypeScript as Node runs it, from 22.18 on: types are taken away, not checked; code is an ES module. */
export const typescript: LanguageData = {
  name: "typescript",
  guest: null,
  code: "source",
  container: {
    image: "node:24-slim",
    file: "main.mts",
    needs: ["node"],
    run: [
      "node",
      nodeHeap,
      "--disable-warning=ExperimentalWarning",
      "{file}",
    ],
    outOfMemory: nodeOutOfMemory,
    driver: "node",
    installer: "npm",
  },
  noInstall: "packages of npm are installed in containers only",
  installIn: containers,
};
