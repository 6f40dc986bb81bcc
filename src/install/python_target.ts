/** The Python that packages are for, as pip names what fits it. */
export interface PythonTarget {
  /** Names it among what is kept. */
  readonly key: string;
  /** Its version, such as "3.11". */
  readonly version: string;
  /** Options that say which wheels fit. */
  readonly tags: readonly string[];
  /** Whether only wheels without native code do. */
  readonly pure: boolean;
}

/** What glibc of a version and older ones run, newest first. */
function _manylinux(minor: number, machine: string): string[] {
  const platforms = Array.from(
    { length: minor - 4 },
    (_, at) => `manylinux_2_${minor - at}_${machine}`,
  );
  const old = machine === "x86_64"
    ? ["manylinux2014", "manylinux2010", "manylinux1"]
    : ["manylinux2014"];
  return [...platforms, ...old.map((one) => `${one}_${machine}`)];
}

function _tags(
  implementation: string,
  abis: readonly string[],
  platforms: readonly string[],
): string[] {
  return [
    "--implementation",
    implementation,
    ...abis.flatMap((abi) => ["--abi", abi]),
    ...platforms.flatMap((platform) => ["--platform", platform]),
  ];
}

/** Guests without native code. */
export const pureTarget: PythonTarget = {
  key: "",
  version: "3.11",
  tags: _tags("py", ["none"], ["any"]),
  pure: true,
};

function _native(
  version: string,
  abi: string,
  platforms: readonly string[],
): PythonTarget {
  return {
    key: `(${abi} ${platforms[0]})`,
    version,
    tags: _tags("cp", [abi, "abi3", "none"], ["any", ...platforms]),
    pure: false,
  };
}

/** The linux guest, which has glibc 2.36. */
export const linuxTarget: PythonTarget = {
  ..._native("3.11", "cp311", _manylinux(36, "x86_64")),
  key: "(native)",
};

/** Asks a Python what it is; leaves no name behind in it. */
export const pythonQuestion: string =
  `print((lambda s, o: __import__("json").dumps([
    s.implementation.name, *s.version_info[:2], o.uname().machine,
    o.confstr("CS_GNU_LIBC_VERSION") if "CS_GNU_LIBC_VERSION" in o.confstr_names else None,
    bool(__import__("sysconfig").get_config_var("Py_GIL_DISABLED"))]))(__import__("sys"), __import__("os")))`;

/** Lets a Python that runs already find what was installed since; leaves no name behind in it. */
export const pythonRefresh: string =
  `(lambda s, p: p in s.path or __import__("site").addsitedir(p))(__import__("sys"), "/site-packages")
__import__("importlib").invalidate_caches()`;

/** What a Python of a container answered; undefined when that cannot be. */
export function targetOf(answer: string): PythonTarget | undefined {
  let parts: unknown;
  try {
    parts = JSON.parse(answer);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parts)) return undefined;
  const [name, major, minor, machine, libc, free] = parts;
  if (
    major !== 3 || !Number.isInteger(minor) || minor < 8 || minor > 40 ||
    typeof name !== "string"
  ) return undefined;
  const version = `3.${minor}`;
  const known = machine === "x86_64" || machine === "aarch64";
  if (name !== "cpython" || !known) {
    return { ...pureTarget, key: `(pure ${version})`, version };
  }
  const abi = `cp3${minor}${free === true ? "t" : ""}`;
  const glibc = /^glibc 2\.(\d{1,2})\b/.exec(String(libc))?.[1];
  // Every musl since 2020 is 1.2.
  const platforms = glibc === undefined
    ? [`musllinux_1_2_${machine}`, `musllinux_1_1_${machine}`]
    : _manylinux(Math.max(5, Number(glibc)), machine);
  return _native(version, abi, platforms);
}
