import { debianCompileEnv, debianPath, link } from "./debian.ts";
import { containers, type LanguageData } from "./language.ts";

/** C as the image's gcc has it. */
export const c: LanguageData = {
  name: "c",
  guest: null,
  code: "source",
  container: {
    image: "gcc:14",
    file: "main.c",
    needs: ["gcc"],
    compile: [
      "sh",
      "-c",
      link,
      "link",
      "{libraries}",
      "gcc",
      "-O1",
      "-pipe",
      "-pthread",
      "-I{workspace}",
      "-o",
      "{dir}/program",
      "{file}",
    ],
    run: ["{dir}/program"],
    env: debianCompileEnv,
    path: debianPath,
    installer: "apt",
  },
  noInstall: "there is no C outside of containers",
  installIn: containers,
};
