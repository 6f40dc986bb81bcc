#!/usr/bin/env bash
# check.sh [--rebuild] [NAME…]: holds the committed guest images against what they are built from.
#
# An image whose inputs have not changed since it was built passes by their hash alone. Otherwise, or with --rebuild, it is
# built again into a scratch directory, and fails unless the result is the committed file, byte for byte.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/.." && pwd)
cd "$root"
rebuild=
[ "${1:-}" = --rebuild ] && { rebuild=1; shift; }
[ $# -gt 0 ] || set -- python javascript micro linux agent

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-${MOTE_CACHE_DIR:-$HOME/.cache/mote}/target}
cargo build --quiet --release --locked --package mote-guestkit
guestkit=$CARGO_TARGET_DIR/release/mote-guestkit
saved=$(mktemp -d)
trap 'rm -rf "$saved"' EXIT

entry() { # entry INDEX NAME FIELD
  node -e 'const [, file, name, field] = process.argv; console.log(JSON.parse(require("fs").readFileSync(file, "utf8"))[name]?.[field] ?? "")' "$@"
}
sha256() { sha256sum "$1" | cut -d" " -f1; }

failed=
for name; do
  images=guests/images
  file=$images/$(entry $images/images.json "$name" file)
  recorded=$(entry $images/images.json "$name" sha256)
  if [ -z "$recorded" ] || [ ! -f "$file" ]; then
    echo "$name: no image; run guests/$name/build.sh and commit $images"
    failed=1
    continue
  fi
  if [ "$(sha256 "$file")" != "$recorded" ]; then
    echo "$name: $file is not the file that images.json names; restore both, or run guests/$name/build.sh and commit $images"
    failed=1
    continue
  fi
  paths="guests/$name rust/guestkit rust/wasi/src/image"
  [ -e "guests/$name/inputs" ] && paths=$(cat "guests/$name/inputs")
  # shellcheck disable=SC2086 # paths have no spaces
  inputs=$("$guestkit" hash $paths)
  if [ -z "$rebuild" ] && [ "$inputs" = "$(entry $images/images.json "$name" inputs)" ]; then
    echo "$name: unchanged"
    continue
  fi
  cp $images/images.json "$file" "$saved/"
  if ! "guests/$name/build.sh" > "$saved/$name.log" 2>&1; then
    tail -n 20 "$saved/$name.log"
    cp "$saved/images.json" "$saved/$(basename "$file")" $images/
    echo "$name: guests/$name/build.sh failed, see above"
    failed=1
    continue
  fi
  built=$(sha256 "$file")
  if [ "$built" = "$recorded" ] && [ "$inputs" = "$(entry "$saved/images.json" "$name" inputs)" ]; then
    cp "$saved/images.json" "$saved/$(basename "$file")" $images/
    echo "$name: rebuilt, the same bytes"
  elif [ "$built" = "$recorded" ]; then
    echo "$name: rebuilt, the same bytes from other inputs; commit $images/images.json"
    failed=1
  elif [ "$inputs" = "$(entry "$saved/images.json" "$name" inputs)" ]; then
    cp "$saved/images.json" "$saved/$(basename "$file")" $images/
    echo "$name: not reproducible: the same inputs gave $built instead of $recorded; compare the tools' versions (guests/$name/README.md)"
    failed=1
  else
    echo "$name: its inputs have changed; the image was built anew, test it and commit $images"
    failed=1
  fi
done
[ -z "$failed" ]
