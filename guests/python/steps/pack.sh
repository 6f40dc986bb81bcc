# Takes the snapshot and writes the image and its entry.
set -eu

cd "$repo"
cargo build --release --quiet --locked -p mote-guestkit
guestkit=$CARGO_TARGET_DIR/release/mote-guestkit
out=$work/image
mkdir -p "$out" guests/images
printf '{"name":"python","version":"%s","abi":1,"snapshot":true,"entry":"main.py"}\n' "$PYTHON_RELEASE" > "$out/guest.json"
"$guestkit" root "$work/tree" "$out/root.img"
"$guestkit" snapshot "$build/guest.wasm" "$out/module.wasm" --init mote_init --root "$work/tree"
# shellcheck disable=SC2046 # paths have no spaces
inputs=$("$guestkit" hash $(cat guests/python/inputs))
"$guestkit" pack guests/images python "$inputs" "$out/guest.json" "$out/module.wasm" "$out/root.img"
