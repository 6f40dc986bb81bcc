# Which Debian packages the guest is made of. Newer ones: guests/linux/build.sh --newest rewrites packages.txt from what apt
# offers now; build, run the tests, and commit both.
PYTHON=3.11
PYTHON_RELEASE=3.11.2
BUILD_PYTHON=/usr/bin/python3.11
PACKAGES="libpython3.11 libpython3.11-minimal libpython3.11-stdlib libpython3.11-dev libc6 libc6-dev linux-libc-dev libstdc++6
libgcc-s1 libssl3 libffi8 zlib1g zlib1g-dev libbz2-1.0 liblzma5 libsqlite3-0 libexpat1 libexpat1-dev libuuid1 libcrypt1
libtirpc3 libnsl2 ca-certificates"
