# Optimises the whole interpreter at once and links the reactor $build/guest.wasm.
set -eu

python=$build/python
objects=
for file in guest mote_module; do
  # shellcheck disable=SC2086
  $CC $FLAGS -I"$work/sources/python$PYTHON/Include" -I"$python" -c "$here/src/$file.c" -o "$build/$file.o"
  objects="$objects $build/$file.o"
done

# The C stack lies first: running over its end traps instead of overwriting data.
# shellcheck disable=SC2086
$CC -mexec-model=reactor $FLAGS -flto=full -Wl,--lto-O3 --no-wasm-opt -o "$build/guest.wasm" $objects "$python/libpython$PYTHON.a" \
  "$python/Modules/_decimal/libmpdec/libmpdec.a" "$python/Modules/expat/libexpat.a" \
  -L"$build/lib" -lz -lbz2 -llzma -lsqlite3 -lwasi-emulated-signal -lwasi-emulated-getpid -lwasi-emulated-process-clocks -lm \
  -Wl,--wrap=open,--wrap=write,-z,stack-size=8388608,--stack-first,--strip-all
