import { containers, type LanguageData } from "./language.ts";

// The program's file is in no module; a workspace of Go's joins those that it may import from.
const _build = `
dir=$1 libraries=$2 file=$3
set --
[ -f "$libraries/go/go.mod" ] && set -- "$libraries/go"
if [ $# -gt 0 ]; then
  [ -f go.mod ] && set -- "$PWD" "$@"
  (cd "$dir" && go work init "$@") || exit
  export GOWORK="$dir/go.work"
fi
exec go build -o "$dir/program" "$file"
`;

/** Go, without cgo; packages of the workspace are found by the module that a go.mod there names. */
export const go: LanguageData = {
  name: "go",
  guest: null,
  code: "source",
  container: {
    image: "golang:1.26",
    file: "main.go",
    needs: ["go"],
    compile: ["sh", "-c", _build, "build", "{dir}", "{libraries}", "{file}"],
    run: ["{dir}/program"],
    env: {
      CGO_ENABLED: "0",
      GOCACHE: "/tmp/.cache/go-build",
      GOMODCACHE: "{libraries}/go/mod",
      GOPATH: "/tmp/.cache/go",
      GOPROXY: "off",
      GOTOOLCHAIN: "local",
      GOFLAGS: "-buildvcs=false",
      GOTELEMETRY: "off",
      // Collects garbage more often when it gets near, so that fewer programs reach the limit.
      GOMEMLIMIT: "{heapMb}MiB",
    },
    outOfMemory:
      /^fatal error: (runtime: )?(cannot allocate memory|out of memory)/m,
    installer: "go",
  },
  noInstall: "there is no Go outside of containers",
  installIn: containers,
};
