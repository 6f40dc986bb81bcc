import type { InstallClient } from "./client.ts";

const _install = `
wanted <- commandArgs(trailingOnly = TRUE)
library <- file.path(Sys.getenv("LIBRARIES"), "R")
# Without a mirror in the image the first one is taken, which is that of all the world.
if (identical(unname(getOption("repos")["CRAN"]), "@CRAN@")) chooseCRANmirror(graphics = FALSE, ind = 1)
install.packages(wanted, lib = library)
there <- installed.packages(lib.loc = library, noCache = TRUE)[, c("Package", "Version"), drop = FALSE]
missing <- setdiff(wanted, there[, "Package"])
if (length(missing)) {
  message("there is no package ", paste(missing, collapse = ", "), " for this R, or it could not be built")
  quit(status = 65)
}
write.table(there, Sys.getenv("INSTALLED"), sep = "\\t", quote = FALSE, row.names = FALSE, col.names = FALSE)
`;

/** Packages of R. */
export const cran: InstallClient = {
  name: "install.packages",
  pattern: /^([A-Za-z][A-Za-z0-9.]*[A-Za-z0-9])$/,
  example: '"R6"',
  passedOn: [],
  script: `
command -v Rscript >/dev/null || { echo "the image has no Rscript" >&2; exit 64; }
mkdir -p "$LIBRARIES/R"
export R_LIBS="$LIBRARIES/R"
cat > "$SCRATCH/install.R" <<'END'
${_install}
END
cd "$SCRATCH"
Rscript --no-save --no-restore --no-init-file "$SCRATCH/install.R" "$@" >&2
`,
};
