#!/usr/bin/env bash
# build.sh [IMAGES_DIR]: builds the agent of containers, in guests/images by default. Installs nothing; says what is
# missing. Work directory: build/agent in $MOTE_CACHE_DIR, by default ~/.cache/mote.
set -euo pipefail
export LC_ALL=C TZ=UTC SOURCE_DATE_EPOCH=0

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=${MOTE_CACHE_DIR:-$HOME/.cache/mote}/build/agent
images=${1:-$root/guests/images}
. "$here/versions.sh"

missing=()
need() { [ -e "$1" ] || missing+=("$1 (Debian package $2)"); }
need /usr/bin/cargo cargo-web
need /usr/bin/rustc rustc-web
need /usr/lib/x86_64-linux-gnu/libc.a libc6-dev
if [ ${#missing[@]} -gt 0 ]; then
  printf 'Cannot build the agent: missing %s\n' "${missing[@]}" >&2
  exit 1
fi
found=$(/usr/bin/rustc --version | cut -d' ' -f2)
[ "$found" = "$RUST" ] || echo "agent: rustc is $found, the committed image was built with $RUST; expect other bytes" >&2
found=$(getconf GNU_LIBC_VERSION | cut -d' ' -f2)
[ "$found" = "$LIBC" ] || echo "agent: glibc is $found, the committed image was built with $LIBC; expect other bytes" >&2

step() { printf 'agent: %s\n' "$*" >&2; }
mkdir -p "$work" "$images"

step "compiling"
# Panic messages name source files: by where they are in the project, not on this machine.
remap="--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo --remap-path-prefix=$root=mote --remap-path-prefix=$work=work"
(
  cd "$here"
  export PATH=/usr/bin:$PATH CARGO=/usr/bin/cargo RUSTC=/usr/bin/rustc
  unset RUSTUP_TOOLCHAIN
  CARGO_TARGET_DIR=$work/target RUSTFLAGS="-C target-feature=+crt-static -C link-arg=-Wl,--build-id=none $remap" \
    /usr/bin/cargo build --quiet --release --locked --target x86_64-unknown-linux-gnu
)

step "adding"
guestkit=${MOTE_GUESTKIT:-${CARGO_TARGET_DIR:-$HOME/.cache/mote/target}/release/mote-guestkit}
if [ -z "${MOTE_GUESTKIT:-}" ]; then
  cargo build --quiet --release --locked --manifest-path "$root/Cargo.toml" --package mote-guestkit
fi
# shellcheck disable=SC2046 # one path a line, without spaces
inputs=$(cd "$root" && "$guestkit" hash $(cat "$here/inputs"))
"$guestkit" add "$images" agent "$inputs" "$work/target/x86_64-unknown-linux-gnu/release/mote-guest-agent"
