import { type Command, Option } from "commander";
import type { Language, SessionOptions } from "../options.ts";
import { collect, pair, sizeMb, timeMs, usage } from "./values.ts";

const _languages: readonly Language[] = [
  "python",
  "javascript",
  "typescript",
  "wasm",
  "java",
  "cpp",
  "c",
  "go",
  "ruby",
  "r",
  "bash",
];

const _backends = [
  "auto",
  "wasm",
  "hyperlight",
  "docker",
  "podman",
  "kubernetes",
] as const;

/** What the options of a session are on the command line. */
export interface SessionFlags {
  readonly lang?: Language;
  readonly backend?: typeof _backends[number];
  readonly image?: string;
  readonly dockerfile?: string;
  readonly guest?: "micro" | "linux";
  readonly guestBinary?: string;
  readonly acceptEmulatedHypervisor?: boolean;
  readonly namespace?: string;
  readonly allowNet?: string;
  readonly allowRead?: readonly string[];
  readonly allowWrite?: readonly string[];
  readonly allowEnv?: string;
  readonly env?: readonly string[];
  readonly with?: readonly string[];
  readonly timeout?: string;
  readonly cpu?: string;
  readonly cpus?: string;
  readonly memory?: string;
  readonly outputLimit?: string;
  readonly verbose?: boolean;
}

/** Adds the options of a session to a command. */
export function addSessionOptions(
  command: Command,
  languages: readonly Language[] = _languages,
): Command {
  return command
    .addOption(
      new Option("-l, --lang <language>", "the language of the code")
        .choices(languages),
    )
    .addOption(
      new Option("-b, --backend <name>", "the wall that the code runs behind")
        .choices(_backends),
    )
    .option("--image <name>", "container image")
    .option("--dockerfile <file>", "build the container image from it")
    .addOption(
      new Option("--guest <kind>", "which guest of hyperlight")
        .choices(["micro", "linux"]),
    )
    .option("--guest-binary <file>", "a hyperlight guest of your own")
    .option(
      "--accept-emulated-hypervisor",
      "use a hypervisor that is itself emulated, and slow",
    )
    .option("--namespace <name>", "namespace of the pod in kubernetes")
    .option(
      "--allow-net [hosts]",
      "let code reach hosts, as in --allow-net=example.com:443,*.example.org; without hosts, in containers only, " +
        "the whole network",
    )
    .option(
      "--allow-read <guest=host>",
      "let code read a folder of the host; may be repeated",
      collect,
    )
    .option(
      "--allow-write <guest=host>",
      "let code change a folder of the host, in containers only; may be repeated",
      collect,
    )
    .option("--allow-env <names>", "pass on variables, separated by commas")
    .option(
      "-e, --env <name=value>",
      "set a variable; may be repeated",
      collect,
    )
    .option(
      "-w, --with <package>",
      "install it first; may be repeated",
      collect,
    )
    .option("-t, --timeout <time>", "wall-clock time, such as 500ms, 5s or 2m")
    .option("--cpu <time>", "time on the processor")
    .option("--cpus <number>", "processors of a container, such as 0.5")
    .option("-m, --memory <size>", "memory, in MiB or such as 512m or 2g")
    .option("--output-limit <size>", "how much may be printed, such as 64m")
    .option("-v, --verbose", "say on stderr what is going on");
}

/**
 * Command line with `--allow-net` made unmistakable: its hosts follow an equals sign, and the word
 * after it is another argument.
 */
export function withBareNet(args: readonly string[]): string[] {
  const end = args.indexOf("--");
  return args.map((arg, index) =>
    arg === "--allow-net" && (end < 0 || index < end) ? "--allow-net=" : arg
  );
}

/** What `createSession` is asked for. */
export function sessionOptions(
  flags: SessionFlags,
  lang: Language,
): SessionOptions {
  const limits = {
    ...(flags.timeout !== undefined &&
      { timeMs: timeMs(flags.timeout, "--timeout") }),
    ...(flags.cpu !== undefined && { cpuMs: timeMs(flags.cpu, "--cpu") }),
    ...(flags.cpus !== undefined && { cpus: Number(flags.cpus) }),
    ...(flags.memory !== undefined &&
      { memoryMb: sizeMb(flags.memory, "--memory") }),
    ...(flags.outputLimit !== undefined && {
      outputBytes: Math.round(
        sizeMb(flags.outputLimit, "--output-limit") * 1_048_576,
      ),
    }),
  };
  const rights = {
    ...(flags.allowNet !== undefined && { net: _net(flags.allowNet) }),
    ...(flags.allowEnv !== undefined &&
      { env: _words(flags.allowEnv, "--allow-env") }),
    ...(flags.allowRead && { read: _folders(flags.allowRead, "--allow-read") }),
    ...(flags.allowWrite &&
      { write: _folders(flags.allowWrite, "--allow-write") }),
  };
  const env = flags.env?.map((text) => pair(text, "--env", "NAME=VALUE"));
  const options = {
    lang,
    backend: flags.backend,
    image: flags.image,
    dockerfile: flags.dockerfile,
    guest: flags.guest,
    guestBinaryPath: flags.guestBinary,
    acceptEmulatedHypervisor: flags.acceptEmulatedHypervisor,
    kubeNamespace: flags.namespace,
    libraries: flags.with,
    verbose: flags.verbose,
    ...(Object.keys(rights).length > 0 && { rights }),
    ...(Object.keys(limits).length > 0 && { limits }),
    ...(env && { env: Object.fromEntries(env) }),
  };
  // The session itself refuses what its backend cannot do.
  return options as SessionOptions;
}

function _net(hosts: string): true | string[] {
  return hosts === "" ? true : _words(hosts, "--allow-net");
}

function _words(text: string, option: string): string[] {
  const words = text.split(",").map((word) => word.trim());
  if (!words.includes("")) return words;
  throw usage(
    `${option} ${JSON.stringify(text)}`,
    "one of its names is empty",
    "Separate names by single commas",
  );
}

function _folders(
  pairs: readonly string[],
  option: string,
): Record<string, string> {
  const folders = pairs.map((text) => pair(text, option, "GUEST=HOST"));
  const [twice] =
    folders.find(([guest], index) =>
      folders.findIndex(([other]) => other === guest) !== index
    ) ?? [];
  if (twice === undefined) return Object.fromEntries(folders);
  throw usage(
    option,
    `${JSON.stringify(twice)} is there twice`,
    "Give each guest folder once",
  );
}
