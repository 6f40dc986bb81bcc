import { Argument } from "commander";
import { type AddCommand, examples } from "./command.ts";
import { Exit } from "./exit.ts";

/** `mote completions` */
export const addCompletions: AddCommand = (parent, choose) => {
  const completions = parent.command("completions")
    .summary("a script that completes mote in a shell")
    .description(
      "Prints a script that makes the shell complete commands, options and their values. It names what this version has.",
    )
    .addArgument(
      new Argument("<shell>", "the shell").choices(["bash", "zsh", "fish"]),
    );
  examples(completions, [
    ["source <(mote completions bash)", "bash, in ~/.bashrc"],
    ['mote completions zsh > "${fpath[1]}/_mote"', "zsh"],
    ["mote completions fish > ~/.config/fish/completions/mote.fish", "fish"],
  ]);
  completions.action((shell: "bash" | "zsh" | "fish") =>
    choose(async (surface) => {
      const [{ treeOf }, { scripts }] = await Promise.all([
        import("./completion_tree.ts"),
        import("./completion_scripts.ts"),
      ]);
      surface.out.write(scripts[shell](treeOf(parent)));
      return Exit.ok;
    })
  );
};
