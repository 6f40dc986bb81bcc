import { containers, type LanguageData } from "./language.ts";

/** R. */
export const r: LanguageData = {
  name: "r",
  guest: null,
  code: "source",
  container: {
    image: "r-base:4.5.2",
    file: "main.R",
    needs: ["Rscript"],
    run: ["Rscript", "--vanilla", "{file}"],
    env: { R_LIBS: "{libraries}/R" },
    outOfMemory: /^Error: (cannot allocate vector of size|vector memory)/m,
    installer: "cran",
  },
  noInstall: "there is no R outside of containers",
  installIn: containers,
};
