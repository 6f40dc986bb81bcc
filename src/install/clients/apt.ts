import type { InstallClient } from "./client.ts";

/**
 * Downloads packages of Debian and its kin beside what the image has: nothing is installed into the image, no
 * privileges are needed and no script of a package is run.
 */
export const download = `
command -v apt-get >/dev/null || { echo "the image has no apt-get" >&2; exit 64; }
apt=$SCRATCH/apt
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
cat > "$apt/conf" <<END
Dir::State::lists "$apt/lists";
Dir::Cache "$apt/cache";
Dir::Log "$apt";
APT::Sandbox::User "";
APT::Install-Recommends "false";
Acquire::Languages "none";
Debug::NoLocking "true";
END
[ -z "$SSL_CERT_FILE" ] || echo "Acquire::https::CAInfo \\"$SSL_CERT_FILE\\";" >> "$apt/conf"
export APT_CONFIG="$apt/conf"
fetch() {
  apt-get -qq update >&2
  for one; do
    apt-cache show -- "\${one%%=*}" >/dev/null 2>&1 || { echo "there is no package \${one%%=*}" >&2; exit 65; }
  done
  apt-get -y -qq --download-only install -- "$@" >&2
}
# Links are bent to where their target is: unpacked as well, or in the image.
unpack() {
  mkdir -p "$1" "$SCRATCH/unpacked"
  for deb in "$apt"/cache/archives/*.deb; do
    [ -e "$deb" ] || continue
    dpkg-deb --fsys-tarfile "$deb" |
      tar -x -C "$SCRATCH/unpacked" --no-same-owner --exclude=./usr/share/doc --exclude=./usr/share/man
  done
  for one in "$SCRATCH"/unpacked/*; do
    [ -e "$one" ] && cp -a "$one" "$1/"
  done
  find "$1" -type l | while read -r link; do
    target=$(readlink "$link")
    case $target in
      /*) inside=$1$target outside=$target ;;
      *) inside=$(dirname "$link")/$target outside=$(dirname "\${link#"$1"}")/$target ;;
    esac
    if [ -e "$inside" ] || [ -L "$inside" ]; then
      case $target in /*) ln -sfn "$inside" "$link" ;; esac
    elif [ -e "$outside" ]; then
      ln -sfn "$outside" "$link"
    fi
  done
}
`;

/** Packages of Debian and its kin. */
export const apt: InstallClient = {
  name: "apt",
  pattern:
    /^([a-z0-9][a-z0-9+.-]*[a-z0-9+])(?:=[A-Za-z0-9][A-Za-z0-9.+:~-]*)?$/,
  example: '"jq" or "zlib1g-dev"',
  passedOn: [],
  script: `
${download}
fetch "$@"
unpack "$LIBRARIES"
for deb in "$apt"/cache/archives/*.deb; do
  [ -e "$deb" ] || continue
  sum=$(sha256sum "$deb")
  dpkg-deb -W --showformat '\${Package}\\t\${Version}\\t' "$deb"
  echo "\${sum%% *}"
done > "$INSTALLED"
`,
};
