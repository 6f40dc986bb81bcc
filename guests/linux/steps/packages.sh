# Fetches and unpacks the Debian packages of packages.txt (name, version, SHA-256) into $work/debian. With $newest, writes
# that list first.
set -eu

mkdir -p "$work/downloads"
if [ -n "${newest:-}" ]; then
  : > "$work/packages.new"
  for name in $PACKAGES; do
    apt-cache show --no-all-versions "$name:amd64" |
      awk -v name="$name" '/^Version:/ { version = $2 } /^SHA256:/ { print name, version, $2; exit }' >> "$work/packages.new"
  done
  sort "$work/packages.new" > "$here/packages.txt"
fi

rm -rf "$work/debian"
mkdir -p "$work/debian"
while read -r name version sha256; do
  deb=$work/downloads/$sha256.deb
  if [ ! -e "$deb" ]; then
    rm -rf "$work/downloads/part"
    mkdir -p "$work/downloads/part"
    (cd "$work/downloads/part" && apt-get -qq -o APT::Sandbox::User= download "$name:amd64=$version") ||
      { echo "Cannot fetch $name $version: no repository has it any more; see versions.sh for the way to a newer one" >&2; exit 1; }
    mv "$work/downloads/part/"*.deb "$deb"
  fi
  echo "$sha256  $deb" | sha256sum --check --quiet - || { rm -f "$deb"; echo "Cannot use $name $version: not the file of packages.txt" >&2; exit 1; }
  dpkg-deb -x "$deb" "$work/debian"
done < "$here/packages.txt"

# The zones are data from a pinned wheel, the one that the wasm guest has.
[ -n "$(ls "$work"/downloads/tzdata-*.whl 2> /dev/null)" ] ||
  pip download -q --no-deps --only-binary=:all: --require-hashes -r "$repo/guests/python/tzdata.txt" -d "$work/downloads"
