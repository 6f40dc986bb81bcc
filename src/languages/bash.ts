import { debianEnv, debianPath } from "./debian.ts";
import { containers, type LanguageData } from "./language.ts";

/** Bash, with whatever programs the image has. */
export const bash: LanguageData = {
  name: "bash",
  guest: null,
  code: "source",
  container: {
    image: "debian:bookworm-slim",
    file: "main.sh",
    needs: ["bash"],
    run: ["bash", "{file}"],
    env: debianEnv,
    path: debianPath,
    installer: "apt",
  },
  noInstall: "there is no Bash outside of containers",
  installIn: containers,
};
