# Which sources the guest is made of: Debian source packages, with exactly these versions.
#
# A newer CPython: set PYTHON and PYTHON_SOURCE to a source package that your apt knows, and BUILD_PYTHON to an interpreter
# of the same minor version (it compiles the standard library). Paths, snapshot and archive follow. What will want a look:
# FIRST_PATCH below, Tools/wasm/config.site-* (renamed in 3.13), PyConfig in src/guest.c, and the recursion limit
# (3.12 and later count the C stack themselves).
PYTHON=3.11
PYTHON_RELEASE=3.11.2
PYTHON_SOURCE=3.11.2-6+deb12u8
BUILD_PYTHON=/usr/bin/python3.11

# Debian's patches from this one on are fixes; those before it adapt CPython to Debian's own file layout.
FIRST_PATCH=shutdown-deadlock.diff

ZLIB_SOURCE=1:1.2.13.dfsg-1
BZIP2_SOURCE=1.0.8-5
XZ_SOURCE=5.4.1-1+deb12u2
SQLITE_SOURCE=3.40.1-2+deb12u2

# CPython 3.11.2's release day; stands where a build would write the time.
SOURCE_DATE_EPOCH=1675814400
