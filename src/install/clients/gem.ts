import type { InstallClient } from "./client.ts";

const _list = `
require "rubygems/package"
require "digest"
Dir["#{ARGV[0]}/cache/*.gem"].sort.each do |file|
  spec = Gem::Package.new(file).spec
  puts [spec.name, spec.version, Digest::SHA256.file(file).hexdigest].join("\\t")
end
`;

/** Gems of Ruby. */
export const gem: InstallClient = {
  name: "gem",
  pattern:
    /^(?!.*\.gem$)([A-Za-z0-9_][A-Za-z0-9_.-]*)(?::[0-9][0-9A-Za-z.-]*)?$/,
  example: '"rainbow" or "rainbow:3.1.1"',
  passedOn: [],
  script: `
command -v gem >/dev/null || { echo "the image has no gem" >&2; exit 64; }
mkdir -p "$SCRATCH/empty"
cd "$SCRATCH/empty"
gem install --no-document --no-user-install --install-dir "$LIBRARIES/gems" --bindir "$LIBRARIES/gems/bin" "$@" >&2
ruby -e '${_list}' "$LIBRARIES/gems" > "$INSTALLED"
rm -rf "$LIBRARIES/gems/cache"
`,
};
