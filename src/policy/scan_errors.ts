import type { Checking } from "./languages/language.ts";

/** Names in code. */
const _word = /[\p{ID_Start}_$][\p{ID_Continue}$]*/gu;

/**
 * Looks at the words of what could not be parsed: one that must not be used is found whatever it is there, as the
 * language itself may see more in that part than the parser.
 */
export function scanErrors(
  { tree, rules, findings }: Checking,
  same: (word: string) => string = (word) => word,
): void {
  if (tree.errorAt < 0) return;
  for (let node = 0; node < tree.size; node++) {
    if (tree.kind(node) !== "ERROR") continue;
    const start = tree.start(node);
    for (const match of tree.textOf(node).matchAll(_word)) {
      const word = same(match[0]);
      const at = start + match.index;
      if (rules.module(word)) rules.reportModule(findings, word, at);
      for (const [module, members] of rules.members) {
        if (!members.has(word)) continue;
        const path = rules.join(module, word);
        const message = `this may be ${path}, in code that cannot be parsed`;
        rules.reportDynamic(findings, path, message, at);
      }
    }
    node = tree.last(node);
  }
}
