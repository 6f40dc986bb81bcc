import { debianCompileEnv, debianPath, link } from "./debian.ts";
import { containers, type LanguageData } from "./language.ts";

/** C++20 as the image's g++ has it. */
export const cpp: LanguageData = {
  name: "cpp",
  guest: null,
  code: "source",
  container: {
    image: "gcc:14",
    file: "main.cpp",
    needs: ["g++"],
    compile: [
      "sh",
      "-c",
      link,
      "link",
      "{libraries}",
      "g++",
      "-std=gnu++20",
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
  noInstall: "there is no C++ outside of containers",
  installIn: containers,
};
