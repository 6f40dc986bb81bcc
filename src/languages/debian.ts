// Where packages of Debian are when they are unpacked below the libraries.
const _triplets = ["x86_64-linux-gnu", "aarch64-linux-gnu"];
const _libraries = [
  ..._triplets.flatMap((one) => [
    `{libraries}/usr/lib/${one}`,
    `{libraries}/lib/${one}`,
  ]),
  "{libraries}/usr/lib",
].join(":");

/** Folders of their programs. */
export const debianPath: readonly string[] = [
  "{libraries}/usr/local/bin",
  "{libraries}/usr/bin",
  "{libraries}/usr/sbin",
  "{libraries}/usr/games",
  "{libraries}/bin",
];

/** Lets programs find their libraries. */
export const debianEnv: Readonly<Record<string, string>> = {
  LD_LIBRARY_PATH: _libraries,
};

/** Lets a compiler find their headers and libraries. */
export const debianCompileEnv: Readonly<Record<string, string>> = {
  ...debianEnv,
  LIBRARY_PATH: _libraries,
  CPATH: ["{libraries}/usr/include"].concat(
    _triplets.map((one) => `{libraries}/usr/include/${one}`),
  ).join(":"),
  PKG_CONFIG_PATH: _triplets.map((one) =>
    `{libraries}/usr/lib/${one}/pkgconfig`
  ).join(":"),
};

/**
 * Links what was installed: a program has no way to say which library it wants. What it does not use is left out.
 */
export const link = `
libraries=$1 compiler=$2
shift 2
set -- "$@" -Wl,--as-needed
for file in "$libraries"/usr/lib/*-linux-gnu/lib*.so "$libraries"/usr/lib/lib*.so; do
  [ -e "$file" ] || continue
  name=\${file##*/lib}
  set -- "$@" "-l\${name%.so}"
done
exec "$compiler" "$@" -lm
`;
