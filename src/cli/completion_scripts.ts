import {
  type CommandNode,
  flat,
  type OptionNode,
  type Values,
} from "./completion_tree.ts";

/** A script for each shell that completes a command of that name. */
export const scripts: Readonly<
  Record<"bash" | "zsh" | "fish", (root: CommandNode) => string>
> = { bash: _bash, zsh: _zsh, fish: _fish };

/** Text in single quotes, as all three shells read it. */
function _quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** In single quotes a backslash is itself to bash and zsh, not to fish. */
function _fishQuoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

function _flags({ short, long }: OptionNode): string[] {
  return short ? [short, long] : [long];
}

function _bash(root: CommandNode): string {
  const name = root.path[0]!;
  const nodes = flat(root);
  const offer = (values: Values): string => {
    switch (values.kind) {
      case "words":
        return `_${name}_offer -W ${_quoted(values.words.join(" "))}`;
      case "files":
        return `_${name}_offer -f`;
      case "folders":
        return `_${name}_offer -d`;
      case "any":
        return ":";
    }
  };
  const steps = nodes.slice(1).map((node) => {
    const above = node.path.slice(0, -1).join(" ");
    const here = node.path.join(" ");
    return `      ${_quoted(`${above}/${node.path.at(-1)}`)}) at=${
      _quoted(here)
    } ;;`;
  });
  const valued = nodes.flatMap((node) =>
    node.options.filter(({ value }) => value).map((option) => {
      const keys = _flags(option).map((flag) =>
        _quoted(`${node.path.join(" ")}/${flag}`)
      );
      return { keys: keys.join("|"), value: option.value! };
    })
  );
  const after = valued.map(({ keys, value }) =>
    `    ${keys}) ${offer(value)}; return ;;`
  );
  const skip = valued.map(({ keys }) => keys).join("|");
  const here = nodes.map((node) => {
    const flags = node.options.flatMap(_flags).join(" ");
    const commands = node.commands.map(({ path }) => path.at(-1)).join(" ");
    const words = commands
      ? `_${name}_offer -W ${_quoted(commands)}`
      : node.argument
      ? offer(node.argument)
      : ":";
    return `    ${_quoted(node.path.join(" "))})
      if [[ $current == -* ]]; then _${name}_offer -W ${_quoted(flags)}
      else ${words}; fi ;;`;
  });
  return `# Completions of ${name} for bash: source <(${name} completions bash)
_${name}_offer() {
  local IFS=$'\\n'
  if [[ $1 == -W ]]; then
    COMPREPLY=($(compgen -W "\${2// /$'\\n'}" -- "$current"))
  else
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen "$1" -- "$current"))
  fi
}
_${name}() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]}
  local at=${_quoted(name)} index word
  COMPREPLY=()
  # "=" is a word of its own to bash.
  if [[ $current == "=" ]]; then current=
  elif [[ $before == "=" ]]; then before=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    if [[ $word == -- ]]; then _${name}_offer -f; return; fi
    case "$at/$word" in
${steps.join("\n")}
      ${skip}) if ((index + 1 < COMP_CWORD)); then ((index++)); fi ;;
    esac
  done
  case "$at/$before" in
${after.join("\n")}
  esac
  case "$at" in
${here.join("\n")}
  esac
}
complete -F _${name} ${name}
`;
}

function _zsh(root: CommandNode): string {
  const name = root.path[0]!;
  const described = (text: string) =>
    text.replaceAll("\\", "\\\\").replaceAll("]", "\\]").replaceAll(
      "[",
      "\\[",
    );
  const action = (values: Values | undefined): string => {
    switch (values?.kind) {
      case "words":
        return `(${values.words.join(" ")})`;
      case "files":
        return "_files";
      case "folders":
        return "_files -/";
      default:
        return " ";
    }
  };
  const functionOf = (node: CommandNode) => `_${node.path.join("_")}`;
  const bodies = flat(root).map((node) => {
    const options = node.options.flatMap((option) => {
      const value = option.value ? `:value:${action(option.value)}` : "";
      return _flags(option).map((flag) =>
        // A long option's value follows it or an equals sign.
        _quoted(
          `*${flag}${value && flag.startsWith("--") ? "=" : ""}[${
            described(option.text)
          }]${value}`,
        )
      );
    });
    if (node.commands.length === 0) {
      const rest = node.argument
        ? [_quoted(`1:argument:${action(node.argument)}`), "'*:file:_files'"]
        : [];
      return `${functionOf(node)}() {
  _arguments -s ${[...options, ...rest].join(" \\\n    ")}
}`;
    }
    const commands = node.commands.map(({ path, text }) =>
      _quoted(`${path.at(-1)!}:${text.replaceAll(":", "\\:")}`)
    );
    const cases = node.commands.map((one) =>
      `        ${one.path.at(-1)}) ${functionOf(one)} ;;`
    );
    return `${functionOf(node)}() {
  local context state state_descr line
  typeset -A opt_args
  _arguments -C -s ${
      [...options, "'1: :->command'", "'*:: :->rest'"].join(" \\\n    ")
    }
  case $state in
    command)
      local -a commands=(${commands.join(" \\\n        ")})
      _describe -t commands ${
      _quoted(`${node.path.join(" ")} command`)
    } commands ;;
    rest)
      case $line[1] in
${cases.join("\n")}
      esac ;;
  esac
}`;
  });
  return `#compdef ${name}
# Completions of ${name} for zsh: ${name} completions zsh > "\${fpath[1]}/_${name}"
${bodies.join("\n")}
if [[ $funcstack[1] == _${name} ]]; then _${name} "$@"
else compdef _${name} ${name}; fi
`;
}

function _fish(root: CommandNode): string {
  const name = root.path[0]!;
  const nodes = flat(root);
  const valued = nodes.flatMap((node) =>
    node.options.filter(({ value }) => value).flatMap((option) =>
      _flags(option).map((flag) =>
        _fishQuoted(`${node.path.join(" ")}/${flag}`)
      )
    )
  );
  const steps = nodes.slice(1).map((node) =>
    `      case ${
      _fishQuoted(`${node.path.slice(0, -1).join(" ")}/${node.path.at(-1)}`)
    }
        set at ${_fishQuoted(node.path.join(" "))}`
  );
  const lines = nodes.flatMap((node) => {
    const where = `complete -c ${name} -n ${
      _fishQuoted(`__${name}_at "${node.path.join(" ")}"`)
    }`;
    const give = (values: Values) => {
      switch (values.kind) {
        case "words":
          return ` -f -a ${_fishQuoted(values.words.join(" "))}`;
        case "files":
          return " -F";
        case "folders":
          return " -f -a '(__fish_complete_directories)'";
        case "any":
          return "";
      }
    };
    return [
      ...node.commands.map(({ path, text }) =>
        `${where} -f -a ${_fishQuoted(path.at(-1)!)} -d ${_fishQuoted(text)}`
      ),
      ...(node.argument?.kind === "words"
        ? [`${where}${give(node.argument)}`]
        : node.argument
        ? [`${where} -F`]
        : [`${where} -f`]),
      ...node.options.map(({ short, long, text, value }) =>
        `${where}${short ? ` -s ${short.slice(1)}` : ""} -l ${long.slice(2)}` +
        `${value ? ` -r${give(value)}` : ""} -d ${_fishQuoted(text)}`
      ),
    ];
  });
  return `# Completions of ${name} for fish: ${name} completions fish > ~/.config/fish/completions/${name}.fish
function __${name}_at
  set -l words (commandline -opc)
  set -l at ${_fishQuoted(name)}
  set -l skip 0
  for word in $words[2..]
    if test $skip = 1
      set skip 0
      continue
    end
    switch "$at/$word"
${steps.join("\n")}
      case ${valued.join(" ")}
        set skip 1
    end
  end
  test "$at" = "$argv[1]"
end
complete -c ${name} -e
${lines.join("\n")}
`;
}
