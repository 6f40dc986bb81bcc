#!/usr/bin/env bash
# Installs what the checks need and a Debian machine with node, cargo and a C compiler may lack.
set -euo pipefail

has() { command -v "$1" >/dev/null 2>&1; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# Debian packages behind what the checks call: the guests' toolchain, C++ for the fuzzer's runtime, and pip
# for install().
packages=()
need() { has "$1" || packages+=("$2"); }
need cc build-essential
need g++ build-essential
need make build-essential
need node nodejs
need npm npm
need git git
need python3 python3
need xz xz-utils
need patch patch
need tclsh tcl
need dpkg-source dpkg-dev
need readelf binutils
need python3.11 python3.11
# What the bench compares with, and what shows its page.
need bwrap bubblewrap
need chromium chromium
need clang-22 clang-22
need llvm-ar-22 llvm-22
need wasm-ld-22 lld-22
need wasm-opt binaryen
need clang-19 clang-19
need llvm-ar-19 llvm-19
need ld.lld-19 lld-19
# Rust with the sources of its standard library, which guests of micro-VMs are built with.
sources() { [ -e "$("$1" --print sysroot 2>/dev/null)/lib/rustlib/src/rust/library/Cargo.lock" ]; }
sources rustc || sources /usr/bin/rustc || packages+=(rustc-web cargo-web rust-web-src)
[ -e /usr/lib/wasm32-wasi/libc.a ] || packages+=(wasi-libc)
[ -e /usr/lib/llvm-22/lib/clang/22/lib/wasi/libclang_rt.builtins-wasm32.a ] || packages+=(libclang-rt-22-dev-wasm32)
python3 -m pip --version >/dev/null 2>&1 || packages+=(python3-pip)

if [ "${#packages[@]}" -gt 0 ]; then
  export DEBIAN_FRONTEND=noninteractive
  as_root apt-get update -qq
  as_root apt-get install -y -qq --no-install-recommends "${packages[@]}"
fi

