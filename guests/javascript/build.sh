#!/usr/bin/env bash
# build.sh [IMAGES_DIR]: builds javascript.tar.zst, in guests/images by default. Installs nothing; says what is missing.
# Work directory: build/javascript in $MOTE_CACHE_DIR, by default ~/.cache/mote.
set -euo pipefail
export LC_ALL=C TZ=UTC SOURCE_DATE_EPOCH=0

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=${MOTE_CACHE_DIR:-$HOME/.cache/mote}/build/javascript
images=${1:-$root/guests/images}

missing=()
need() { command -v "$1" > /dev/null || missing+=("$2"); }
need clang-22 "clang-22 (Debian package clang-22)"
need wasm-ld-22 "wasm-ld-22 (Debian package lld-22)"
need patch "patch (Debian package patch)"
need cargo "cargo (the Rust toolchain)"
need node "node (20 or newer)"
need npm "npm"
[ -e /usr/lib/wasm32-wasi/libc.a ] || missing+=("wasm32-wasi/libc.a (Debian package wasi-libc)")
[ -e /usr/lib/llvm-22/lib/clang/22/lib/wasi/libclang_rt.builtins-wasm32.a ] || missing+=("the wasm32 builtins (Debian package libclang-rt-22-dev-wasm32)")
if [ ${#missing[@]} -gt 0 ]; then
  printf 'Cannot build the JavaScript guest: missing %s\n' "${missing[@]}" >&2
  exit 1
fi
mkdir -p "$work/obj" "$work/npm" "$work/root/lib/javascript"

step() { printf 'javascript: %s\n' "$*" >&2; }

step "fetching QuickJS-ng and the npm packages"
cargo fetch --quiet --locked --manifest-path "$here/Cargo.toml"
quickjs=$(dirname "$(cargo metadata --format-version 1 --locked --offline --manifest-path "$here/Cargo.toml" |
  node -e 'const m = JSON.parse(require("fs").readFileSync(0, "utf8")); console.log(m.packages.find((p) => p.name === "rquickjs-sys").manifest_path)')")/quickjs
[ -e "$quickjs/quickjs.c" ] || { echo "Cannot build the JavaScript guest: no quickjs.c in $quickjs" >&2; exit 1; }
rm -rf "$work/quickjs"
mkdir "$work/quickjs"
cp "$quickjs"/*.c "$quickjs"/*.h "$work/quickjs/"
patch --quiet --directory="$work/quickjs" --strip=1 < "$here/quickjs.patch"
cp "$here/package.json" "$here/package-lock.json" "$work/npm/"
if ! cmp -s "$here/package-lock.json" "$work/npm/installed.lock"; then
  (cd "$work/npm" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error > /dev/null)
  cp "$here/package-lock.json" "$work/npm/installed.lock"
fi

step "bundling the prelude"
rm -rf "$work/npm/js"
cp -r "$here/js" "$work/npm/js"
node "$here/bundle.mjs" "$work/npm" "$work/prelude.js" "$work/npm-notice.txt"
node -e '
  const fs = require("fs"), text = fs.readFileSync(process.argv[1]);
  fs.writeFileSync(process.argv[2], `#include <stddef.h>\nchar prelude_js[] = {${[...text].join(",")},0};\nconst size_t prelude_js_len = ${text.length};\n`);
' "$work/prelude.js" "$work/obj/prelude.c"

step "compiling"
flags=(--target=wasm32-wasi -O2 -std=gnu11 -mbulk-memory -fno-strict-aliasing "-ffile-prefix-map=$work=work" "-ffile-prefix-map=$here=."
  -D_GNU_SOURCE -DNDEBUG -D_WASI_EMULATED_SIGNAL -D_WASI_EMULATED_PROCESS_CLOCKS -DQUICKJS_NG_BUILD "-I$work/quickjs")
objects=()
compile() { # compile SOURCE [FLAG…]
  local object key
  key=$({ clang-22 --version; printf '%s\n' "${flags[@]}" "$@"; cat "$1" "$here"/src/*.h "$work"/quickjs/*.h "$work"/quickjs/quickjs.c; } | sha256sum | cut -c1-16)
  object="$work/obj/$(basename "$1" .c)-$key.o"
  objects+=("$object")
  [ -e "$object" ] || { clang-22 "${flags[@]}" "${@:2}" -c "$1" -o "$object.new" && mv "$object.new" "$object"; } &
}
for file in libregexp libunicode dtoa; do compile "$work/quickjs/$file.c" -w; done
compile "$here/src/engine.c" -w
compile "$work/obj/prelude.c" -w
for file in guest host files text modules; do compile "$here/src/$file.c" -Wall -Wextra -Werror -Wno-deprecated; done
for job in $(jobs -p); do wait "$job"; done
clang-22 --target=wasm32-wasi -mexec-model=reactor -Wno-deprecated "${objects[@]}" -o "$work/javascript.wasm" \
  -lwasi-emulated-signal -lwasi-emulated-process-clocks -lm -Wl,-z,stack-size=4194304,--stack-first,--strip-debug

step "taking the snapshot"
guestkit=${MOTE_GUESTKIT:-${CARGO_TARGET_DIR:-$HOME/.cache/mote/target}/release/mote-guestkit}
if [ -z "${MOTE_GUESTKIT:-}" ]; then
  cargo build --quiet --release --locked --manifest-path "$root/Cargo.toml" --package mote-guestkit
fi
notices="$work/root/lib/javascript"
cp "$work/npm-notice.txt" "$notices/NOTICE-npm.txt"
cp "$quickjs/LICENSE" "$notices/LICENSE-quickjs-ng.txt"
cp /usr/share/doc/wasi-libc/copyright "$notices/LICENSE-wasi-libc.txt"
"$guestkit" snapshot "$work/javascript.wasm" "$work/module.wasm" --init mote_init --root "$work/root"
"$guestkit" root "$work/root" "$work/root.img"
version=$(sed -n 's/^#define QJS_VERSION_\(MAJOR\|MINOR\|PATCH\) //p' "$quickjs/quickjs.h" | paste -sd.)
printf '{"name":"javascript","version":"%s","abi":1,"snapshot":true,"entry":"main.js"}\n' "$version" > "$work/guest.json"

step "packing"
mkdir -p "$images"
# shellcheck disable=SC2046 # one path a line, without spaces
inputs=$(cd "$root" && "$guestkit" hash $(cat "$here/inputs"))
"$guestkit" pack "$images" javascript "$inputs" "$work/guest.json" "$work/module.wasm" "$work/root.img"
