# Fetches and unpacks the source packages into $work/sources. Private apt lists: nothing on this machine changes.
set -eu

apt_dir=$work/apt
mkdir -p "$apt_dir/lists/partial" "$apt_dir/archives/partial" "$work/downloads"
apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' 'Created-By: Packages' | sort -u |
  awk '$4 == "Debian" && $3 == "main" { print "deb-src", $1, $2, $3 }' > "$apt_dir/sources.list"
[ -s "$apt_dir/sources.list" ] || { echo "Cannot fetch sources: apt has no Debian repository; run apt-get update" >&2; exit 1; }

apt_list=$apt_dir/sources.list
apt_private() {
  apt-get -qq -o Dir::Etc::sourcelist="$apt_list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State::lists="$apt_dir/lists" -o Dir::Cache="$apt_dir" -o APT::Sandbox::User= "$@"
}

# Some repositories list sources that another one has: apt asks the first that lists them, and no other.
from_any() {
  while read -r line; do
    echo "$line" > "$apt_dir/one.list"
    apt_list=$apt_dir/one.list
    if apt_private source --download-only "$1" 2> /dev/null; then
      apt_list=$apt_dir/sources.list
      return 0
    fi
  done < "$apt_dir/sources.list"
  apt_list=$apt_dir/sources.list
  return 1
}

# fetch PACKAGE VERSION: the .dsc's name has no epoch
fetch() {
  dsc=$work/downloads/$1_${2#*:}.dsc
  if [ ! -e "$dsc" ]; then
    [ -n "$(find "$apt_dir/lists" -name '*_Sources*' -mmin -60 2>/dev/null)" ] || apt_private update
    (cd "$work/downloads" && { apt_private source --download-only "$1=$2" 2> /dev/null || from_any "$1=$2"; }) ||
      { echo "Cannot fetch $1 $2: no repository has it any more; see versions.sh for the way to a newer one" >&2; exit 1; }
  fi
  rm -rf "$work/sources/$1"
  dpkg-source --no-check --skip-patches -x "$dsc" "$work/sources/$1" > /dev/null
  rm -f "$work/sources/"*.orig*
}

mkdir -p "$work/sources"
fetch "python$PYTHON" "$PYTHON_SOURCE"
fetch zlib "$ZLIB_SOURCE"
fetch bzip2 "$BZIP2_SOURCE"
fetch xz-utils "$XZ_SOURCE"
fetch sqlite3 "$SQLITE_SOURCE"

# The zones are data from a pinned wheel: Debian's package changes too often to be pinned.
[ -n "$(ls "$work"/downloads/tzdata-*.whl 2> /dev/null)" ] ||
  pip download -q --no-deps --only-binary=:all: --require-hashes -r "$here/tzdata.txt" -d "$work/downloads"

apply() {
  patch -p1 -s --no-backup-if-mismatch < "$1" || { echo "Cannot apply $1" >&2; exit 1; }
}

cd "$work/sources/python$PYTHON"
sed -n "/^$FIRST_PATCH/,\$p" debian/patches/series | while read -r name; do apply "debian/patches/$name"; done
for patch in "$here"/patches/*.patch; do [ ! -e "$patch" ] || apply "$patch"; done
