#!/usr/bin/env bash
# build.sh [IMAGES_DIR]: builds micro.tar.zst, in guests/images by default. Installs cargo-hyperlight into the work
# directory, and nothing else; says what is missing. Work directory: build/micro in $MOTE_CACHE_DIR, by default ~/.cache/mote.
set -euo pipefail
export LC_ALL=C TZ=UTC SOURCE_DATE_EPOCH=0

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=${MOTE_CACHE_DIR:-$HOME/.cache/mote}/build/micro
images=${1:-$root/guests/images}
. "$here/versions.sh"

missing=()
need() { [ -e "$1" ] || missing+=("$1 (Debian package $2)"); }
need /usr/bin/cargo cargo-web
need /usr/bin/rustc rustc-web
need /usr/lib/llvm-19/bin/clang clang-19
need /usr/lib/llvm-19/bin/llvm-ar llvm-19
need /usr/bin/ld.lld-19 lld-19
# The standard library's sources are built for the guest's target.
compgen -G '/usr/src/rustc-*/library/core/src/lib.rs' > /dev/null || compgen -G '/usr/lib/rustlib/src/rust/library/core' > /dev/null ||
  missing+=("the standard library's sources (Debian package rust-web-src)")
if [ ${#missing[@]} -gt 0 ]; then
  printf 'Cannot build the micro guest: missing %s\n' "${missing[@]}" >&2
  exit 1
fi
found=$(/usr/bin/rustc --version | cut -d' ' -f2)
[ "$found" = "$RUST" ] || echo "micro: rustc is $found, the committed image was built with $RUST; expect other bytes" >&2

step() { printf 'micro: %s\n' "$*" >&2; }
mkdir -p "$work/bin" "$images"

step "finding cargo-hyperlight"
hyperlight=$work/tools-$CARGO_HYPERLIGHT/bin/cargo-hyperlight
[ -x "$hyperlight" ] ||
  cargo install --quiet --locked --root "$work/tools-$CARGO_HYPERLIGHT" "cargo-hyperlight@$CARGO_HYPERLIGHT"

ln -sf /usr/lib/llvm-19/bin/clang "$work/bin/clang"
ln -sf /usr/lib/llvm-19/bin/llvm-ar "$work/bin/llvm-ar"
ln -sf /usr/bin/ld.lld-19 "$work/bin/rust-lld"
ln -sf /usr/bin/ld.lld-19 "$work/bin/ld.lld"
ln -sf /usr/bin/cargo "$work/bin/cargo"
ln -sf /usr/bin/rustc "$work/bin/rustc"

step "compiling"
# Panic messages name source files: by where they are in the project, not on this machine.
remap="--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo --remap-path-prefix=$root=mote --remap-path-prefix=$work=work"
(
  cd "$here"
  export PATH=$work/bin:$PATH CARGO=/usr/bin/cargo RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1
  unset RUSTUP_TOOLCHAIN
  CARGO_TARGET_DIR=$work/target RUSTFLAGS=$remap "$hyperlight" hyperlight build --quiet --release --locked
)

step "packing"
guestkit=${MOTE_GUESTKIT:-${CARGO_TARGET_DIR:-$HOME/.cache/mote/target}/release/mote-guestkit}
if [ -z "${MOTE_GUESTKIT:-}" ]; then
  cargo build --quiet --release --locked --manifest-path "$root/Cargo.toml" --package mote-guestkit
fi
# shellcheck disable=SC2046 # one path a line, without spaces
inputs=$(cd "$root" && "$guestkit" hash $(cat "$here/inputs"))
cp "$work/target/x86_64-hyperlight-none/release/mote-guest-micro" "$work/micro.elf"
"$guestkit" pack "$images" micro "$inputs" "$work/micro.elf"
