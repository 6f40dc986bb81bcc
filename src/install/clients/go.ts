import type { InstallClient } from "./client.ts";

/** Modules of Go. */
export const go: InstallClient = {
  name: "go",
  pattern:
    /^([a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)+(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*)(?:@(?:latest|v[0-9][A-Za-z0-9.+-]*))?$/,
  example: '"github.com/google/uuid" or "golang.org/x/text@v0.3.8"',
  passedOn: [
    "GOPROXY",
    "GOSUMDB",
    "GONOSUMDB",
    "GONOPROXY",
    "GOPRIVATE",
    "GOINSECURE",
  ],
  script: `
command -v go >/dev/null || { echo "the image has no go" >&2; exit 64; }
mkdir -p "$LIBRARIES/go"
cd "$LIBRARIES/go"
export GOMODCACHE="$LIBRARIES/go/mod" GOCACHE="$SCRATCH/build" GOPATH="$SCRATCH/go" GOFLAGS=-modcacherw
export GOTOOLCHAIN=local GOTELEMETRY=off CGO_ENABLED=0
[ -e go.mod ] || go mod init libraries 2>/dev/null
go get -- "$@" >&2
rm -rf mod/cache/vcs
while read -r name version sum; do
  case $version in */go.mod) ;; *) printf '%s\\t%s\\t\\t%s\\n' "$name" "$version" "$sum" ;; esac
done < go.sum > "$INSTALLED"
`,
};
