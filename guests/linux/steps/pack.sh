# Writes the image and its entry.
set -eu

cd "$repo"
cargo build --release --quiet --locked -p mote-guestkit
guestkit=$CARGO_TARGET_DIR/release/mote-guestkit
mkdir -p "$work/image" guests/images
printf '{"name":"python","version":"%s","abi":1,"entry":"main.py"}\n' "$PYTHON_RELEASE" > "$work/image/guest.json"
# shellcheck disable=SC2046 # paths have no spaces
inputs=$("$guestkit" hash $(cat guests/linux/inputs))
"$guestkit" pack guests/images linux "$inputs" "$work/image/guest.json" "$work/image/root.cpio"
