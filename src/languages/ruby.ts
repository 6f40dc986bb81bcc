import { containers, type LanguageData } from "./language.ts";

// The program lies beside this file, what it means by "relative" in the workspace.
const _relative = `module Kernel
  def require_relative(path)
    from = caller_locations(1, 1).first&.absolute_path
    from = nil if from && File.dirname(from) == __dir__
    require File.expand_path(path, from ? File.dirname(from) : Dir.pwd)
  end
  private :require_relative
end
`;

/** Ruby. */
export const ruby: LanguageData = {
  name: "ruby",
  guest: null,
  code: "source",
  container: {
    image: "ruby:3.4-slim",
    file: "main.rb",
    files: { "relative.rb": _relative },
    needs: ["ruby"],
    run: ["ruby", "-I", "{workspace}", "-r", "{dir}/relative.rb", "{file}"],
    env: { GEM_PATH: "{libraries}/gems" },
    path: ["{libraries}/gems/bin"],
    outOfMemory: /\bfailed to allocate memory \(NoMemoryError\)/,
    installer: "gem",
  },
  noInstall: "there is no Ruby outside of containers",
  installIn: containers,
};
