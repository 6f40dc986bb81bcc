import { containers, type LanguageData } from "./language.ts";

/** CPython: 3.11 in guests of Mote's own, in containers the image's. */
export const python: LanguageData = {
  name: "python",
  guest: "python",
  code: "source",
  container: {
    image: "python:3.13-slim",
    file: "main.py",
    needs: ["python3"],
    run: ["python3", "{file}"],
    driver: "python",
    installer: "pip",
  },
  installIn: ["wasm", "hyperlight", ...containers],
};
