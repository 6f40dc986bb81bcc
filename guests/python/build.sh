#!/bin/sh
# Builds guests/images/python.tar.zst and its entry in images.json: the same bytes from the same inputs, on every machine.
#
#   guests/python/build.sh            everything
#   guests/python/build.sh STEP…      some of: sources libraries interpreter link stdlib pack
set -eu

here=$(cd "$(dirname "$0")" && pwd)
repo=$(cd "$here/../.." && pwd)
# shellcheck source=versions.sh
. "$here/versions.sh"
export LC_ALL=C TZ=UTC SOURCE_DATE_EPOCH

cache=${MOTE_CACHE_DIR:-$HOME/.cache/mote}
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$cache/target}"
work=$cache/guests/python
build=$work/build
jobs=${JOBS:-$(nproc)}

CC="clang-22 --target=wasm32-wasi -Wno-deprecated"
AR=llvm-ar-22
RANLIB=llvm-ranlib-22
FLAGS="-O3 -g0 -mbulk-memory -w -Wno-int-conversion -Wno-incompatible-pointer-types -Wno-implicit-function-declaration"
FLAGS="$FLAGS -D_WASI_EMULATED_SIGNAL -ffile-prefix-map=$work=."

missing=
need() { command -v "$1" > /dev/null || missing="$missing $2"; }
need clang-22 clang-22
need wasm-ld-22 lld-22
need llvm-ar-22 llvm-22
need dpkg-source dpkg-dev
need patch patch
need make make
need cc gcc
need tclsh tcl
need xz xz-utils
need cargo cargo
need pip python3-pip
need llvm-profdata-22 llvm-22
need "$BUILD_PYTHON" "python$PYTHON"
[ -d /usr/include/wasm32-wasi ] || missing="$missing wasi-libc"
[ -e "$(clang-22 -print-resource-dir 2> /dev/null)/lib/wasi/libclang_rt.builtins-wasm32.a" ] ||
  missing="$missing libclang-rt-22-dev-wasm32"
[ -z "$missing" ] || { echo "Cannot build the Python guest. Debian packages missing:$missing" >&2; exit 1; }

step() {
  echo "python: $1"
  case $1 in
    sources | libraries | interpreter | link) (. "$here/steps/$1.sh") ;;
    stdlib) PYTHONHASHSEED=0 "$BUILD_PYTHON" -I -S "$here/steps/stdlib.py" "$work/sources/python$PYTHON/Lib" \
      "$here/lib" "$work"/downloads/tzdata-*.whl "$work/tree" ;;
    pack) (. "$here/steps/pack.sh") ;;
    *) echo "unknown step: $1" >&2; exit 1 ;;
  esac
}

[ $# -gt 0 ] || set -- sources libraries interpreter link stdlib pack
for name; do step "$name"; done
