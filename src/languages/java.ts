import { javaNames } from "./java_names.ts";
import { containers, type LanguageData } from "./language.ts";

/** Java 17 or newer: the first class with a `main` is run, whatever it is called. */
export const java: LanguageData = {
  name: "java",
  guest: null,
  code: "source",
  container: {
    image: "eclipse-temurin:21-jdk",
    file: "Main.java",
    names: javaNames,
    needs: ["java", "javac"],
    // A compiler that runs for a second gains nothing from the optimizing JIT.
    compile: [
      "javac",
      "-J-XX:TieredStopAtLevel=1",
      "-J-XX:+UseSerialGC",
      "-encoding",
      "UTF-8",
      "-d",
      "{dir}/classes",
      "-sourcepath",
      "{workspace}",
      "-classpath",
      "{libraries}/*:{workspace}",
      "{file}",
    ],
    run: [
      "java",
      "-Xmx{heapMb}m",
      "-XX:+UseSerialGC",
      "-XX:-UsePerfData",
      "-Dfile.encoding=UTF-8",
      "-classpath",
      "{dir}/classes:{libraries}/*:{workspace}",
      "{main}",
    ],
    outOfMemory: /\bjava\.lang\.OutOfMemoryError: (?!unable to create native)/,
    installer: "maven",
  },
  noInstall: "there is no Java outside of containers",
  installIn: containers,
};
