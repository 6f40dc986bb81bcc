# Builds the driver against the packages' own libpython and libc. Position-independent, as the guest's kernel wants it.
set -eu

debian=$work/debian
lib=$debian/usr/lib/x86_64-linux-gnu
mkdir -p "$work/build"
# libc.so and libm.so are linker scripts with absolute paths; --sysroot makes them ours.
gcc --sysroot="$debian" -std=gnu17 -O2 -g0 -fPIE -pie -Wall -Wextra -Wno-unused-parameter -Wno-cast-function-type -Werror \
  -ffile-prefix-map="$here=." -ffile-prefix-map="$debian=/debian" -Wl,--build-id=none -Wl,--export-dynamic -Wl,-z,now \
  -I"$debian/usr/include/python$PYTHON" -I"$debian/usr/include/x86_64-linux-gnu" \
  -B"$lib" -L"$lib" -L"$debian/lib/x86_64-linux-gnu" -Wl,-rpath-link,"$lib:$debian/lib/x86_64-linux-gnu" \
  "$here"/src/*.c -o "$work/build/driver" "$lib/libpython$PYTHON.so.1.0"
strip --strip-unneeded --remove-section=.comment "$work/build/driver"
