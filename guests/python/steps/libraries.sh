# Compiles zlib, bzip2, liblzma and SQLite into $build/lib, with their headers in $build/include.
set -eu

out=$build/libraries
rm -rf "$out" "$build/lib" "$build/include"
mkdir -p "$out" "$build/lib" "$build/include"

# library NAME SOURCE_DIR FILE…
library() {
  name=$1 source=$2
  shift 2
  objects=
  for file; do
    $CC $FLAGS -c "$source/$file.c" -o "$out/$name-$file.o"
    objects="$objects $out/$name-$file.o"
  done
  # shellcheck disable=SC2086
  $AR rcsD "$build/lib/lib$name.a" $objects
}

sources=$work/sources
library z "$sources/zlib" adler32 compress crc32 deflate infback inffast inflate inftrees trees uncompr zutil
cp "$sources/zlib/zlib.h" "$sources/zlib/zconf.h" "$build/include"

library bz2 "$sources/bzip2" blocksort huffman crctable randtable compress decompress bzlib
cp "$sources/bzip2/bzlib.h" "$build/include"

# The signal mask that liblzma's thread header wants is empty in a program that has no signals.
mkdir "$out/xz"
(
  cd "$out/xz"
  "$sources/xz-utils/configure" --host=wasm32-wasi CC="$CC" AR="$AR" RANLIB="$RANLIB" CFLAGS="$FLAGS" \
    --disable-threads --disable-shared --enable-static --disable-xz --disable-xzdec --disable-lzmadec --disable-lzmainfo \
    --disable-scripts --disable-doc --disable-nls --disable-dependency-tracking
  make -C src/liblzma CFLAGS="$FLAGS -D_WASI_EMULATED_SIGNAL -Dsigset_t=int '-Dsigprocmask(how,set,old)=0'"
) > "$out/xz.log" 2>&1 || { tail -5 "$out/xz.log" >&2; exit 1; }
cp "$out/xz/src/liblzma/.libs/liblzma.a" "$build/lib"
cp -r "$sources/xz-utils/src/liblzma/api/lzma.h" "$sources/xz-utils/src/liblzma/api/lzma" "$build/include"

mkdir "$out/sqlite"
(cd "$out/sqlite" && "$sources/sqlite3/configure" --disable-tcl --disable-readline && make sqlite3.c) > "$out/sqlite.log" 2>&1 ||
  { tail -5 "$out/sqlite.log" >&2; exit 1; }
cat "$out/sqlite/sqlite3.c" "$here/src/sqlite_init.c" > "$out/sqlite/all.c"
# shellcheck disable=SC2086
$CC $FLAGS -include "$here/src/sqlite_wasi.h" -D_WASI_EMULATED_GETPID -DSQLITE_THREADSAFE=0 -DSQLITE_OMIT_LOAD_EXTENSION \
  -DSQLITE_OMIT_WAL -DSQLITE_MAX_MMAP_SIZE=0 -DSQLITE_ENABLE_FTS5 -DSQLITE_ENABLE_MATH_FUNCTIONS \
  -c "$out/sqlite/all.c" -o "$out/sqlite3.o"
$AR rcsD "$build/lib/libsqlite3.a" "$out/sqlite3.o"
cp "$out/sqlite/sqlite3.h" "$build/include"
