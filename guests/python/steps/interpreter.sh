# Configures CPython for wasm32-wasi and compiles it, as LLVM bitcode, into $build/python/libpython$PYTHON.a.
set -eu

source=$work/sources/python$PYTHON
rm -rf "$build/python"
mkdir -p "$build/python/Modules"
cd "$build/python"

# Found by their headers alone, but useless or not there: crypt and libuuid; xxsubtype is an example.
printf '*disabled*\n_crypt _uuid xxsubtype\n' > Modules/Setup.local

export CONFIG_SITE="$source/Tools/wasm/config.site-wasm32-wasi"
export PKG_CONFIG=false
for library in ZLIB:z BZIP2:bz2 LIBLZMA:lzma LIBSQLITE3:sqlite3; do
  export "${library%:*}_CFLAGS=-I$build/include" "${library%:*}_LIBS=-L$build/lib -l${library#*:}"
done

# Which branches programs take, counted beforehand by profile/make.sh.
xz -dc "$here/profile/python.proftext.xz" > python.proftext
llvm-profdata-22 merge -o python.profdata python.proftext

# WASI switches CPython's own allocator off for want of mmap(); it takes its arenas from malloc() as well.
"$source/configure" --host=wasm32-unknown-wasi --build="$(cc -dumpmachine)" --with-build-python="$BUILD_PYTHON" \
  --prefix=/usr --disable-test-modules --with-pymalloc CC="$CC" CPP="$CC -E" CXX="$CC" AR="$AR" RANLIB="$RANLIB" \
  HOSTRUNNER=true CFLAGS="$FLAGS" LDFLAGS=--no-wasm-opt > configure.log 2>&1 || { tail -5 configure.log >&2; exit 1; }
# The one place where the directory of the build would get into the interpreter.
sed -i "s#-DVPATH='\"\$(VPATH)\"'#-DVPATH='\"../../sources/python$PYTHON\"'#" Makefile
make -j"$jobs" EXTRA_CFLAGS="-flto=full -fprofile-instr-use=$PWD/python.profdata" "libpython$PYTHON.a" \
  Modules/_decimal/libmpdec/libmpdec.a Modules/expat/libexpat.a > make.log 2>&1 ||
  { tail -5 make.log >&2; exit 1; }
