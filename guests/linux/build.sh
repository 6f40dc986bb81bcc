#!/bin/sh
# Builds guests/images/linux.tar.zst and its entry in images.json: the same bytes from the same inputs, on every machine.
#
#   guests/linux/build.sh            everything
#   guests/linux/build.sh --newest   the same, from the newest packages that apt offers; rewrites packages.txt
#   guests/linux/build.sh STEP…      some of: packages driver stage pack
set -eu

here=$(cd "$(dirname "$0")" && pwd)
repo=$(cd "$here/../.." && pwd)
# shellcheck source=versions.sh
. "$here/versions.sh"
export LC_ALL=C TZ=UTC

newest=
[ "${1:-}" = --newest ] && { newest=1; shift; }
cache=${MOTE_CACHE_DIR:-$HOME/.cache/mote}
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$cache/target}"
work=$cache/guests/linux

missing=
need() { command -v "$1" > /dev/null || missing="$missing $2"; }
need apt-get apt
need dpkg-deb dpkg
need gcc gcc
need readelf binutils
need cargo cargo
need pip python3-pip
need "$BUILD_PYTHON" "python$PYTHON"
[ -z "$missing" ] || { echo "Cannot build the linux guest. Debian packages missing:$missing" >&2; exit 1; }

step() {
  echo "linux: $1"
  case $1 in
    packages | driver | pack) (. "$here/steps/$1.sh") ;;
    stage)
      mkdir -p "$work/image"
      PYTHONHASHSEED=0 "$BUILD_PYTHON" -I -S "$here/steps/stage.py" "$work/debian" "$work/build/driver" \
        "$repo/guests/python/lib" "$here/lib" "$work"/downloads/tzdata-*.whl "$work/image/root.cpio"
      ;;
    *) echo "unknown step: $1" >&2; exit 1 ;;
  esac
}

[ $# -gt 0 ] || set -- packages driver stage pack
for name; do step "$name"; done
