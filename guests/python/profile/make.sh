#!/bin/sh
# Measures what the interpreter's code is used for and writes profile/python.proftext.xz, which build.sh compiles with. Run it
# after the interpreter's sources or the training set have changed; the image is reproducible from the file, not from this.
#
# A native build of the same sources does the counting: the counts belong to the C code and not to the machine. Needs
# clang's native profile runtime besides what build.sh needs: Debian package libclang-rt-22-dev.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=../versions.sh
. "$here/versions.sh"
export LC_ALL=C SOURCE_DATE_EPOCH
work=${MOTE_CACHE_DIR:-$HOME/.cache/mote}/guests/python
build=$work/profile
rm -rf "$build"
mkdir -p "$build/raw"
cd "$build"

# The dispatch must be the switch that WebAssembly gets, or the counts of the interpreter's loop would not fit.
"$work/sources/python$PYTHON/configure" --with-computed-gotos=no --with-pymalloc --without-ensurepip --disable-test-modules \
  CC=clang-22 CFLAGS="-O2 -g0 -w -fprofile-instr-generate" LDFLAGS=-fprofile-instr-generate > configure.log
make -j"${JOBS:-$(nproc)}" > make.log

for program in "$here"/profile/*.py; do
  LLVM_PROFILE_FILE=$build/raw/%p-%m.profraw ./python -I "$program" > /dev/null
done
llvm-profdata-22 merge --text -o python.proftext raw/*.profraw
xz -9e --stdout python.proftext > "$here/profile/python.proftext.xz"
