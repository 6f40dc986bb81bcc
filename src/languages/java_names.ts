// Finds out what a Java program is called. It reads only as much of Java as that takes: what it cannot make sense of,
// javac complains about, in its own words.

/** Comments, and literals that could hold braces or words. What has no end goes on to the last, so that none is read twice. */
const _noise =
  /\/\/[^\n]*|\/\*(?:[^]*?\*\/|[^]*)|"""(?:[^]*?(?<!\\)"""|[^]*)|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?/g;
const _word =
  /[{}]|\b(?:class|interface|enum|record|@interface)\s+([\p{L}_$][\p{L}\p{N}_$]{0,99})|\bmain\s*\(/gu;
const _package =
  /^\s*(?:@[\w.]+\s+)*package\s+([\p{L}_$][\p{L}\p{N}_$.\s]{0,400}?)\s*;/u;
const _longest = 1_048_576;
/** How far before a word its modifiers are looked for. */
const _before = 200;

interface Type {
  readonly name: string;
  readonly open: boolean;
  main: boolean;
}

/** The file that `javac` wants a program to be in, and the class to run. */
export function javaNames(code: string): { file: string; main: string } {
  const bare = code.slice(0, _longest).replace(_noise, " ");
  const types: Type[] = [];
  let depth = 0;
  let loose = false;
  for (const match of bare.matchAll(_word)) {
    const [word, name] = match;
    const before = bare.slice(Math.max(0, match.index - _before), match.index);
    if (word === "{") depth++;
    else if (word === "}") depth = Math.max(0, depth - 1);
    else if (name === undefined) {
      if (depth === 1 && types.length) types.at(-1)!.main = true;
      if (depth === 0 && /\bvoid\s+$/.test(before)) loose = true;
    } else if (depth === 0) {
      const modifiers = before.slice(
        Math.max(before.lastIndexOf(";"), before.lastIndexOf("}")) + 1,
      );
      types.push({ name, open: /\bpublic\b/.test(modifiers), main: false });
    }
  }
  const file = types.find(({ open }) => open)?.name ?? "Main";
  const own = types.find(({ main }) => main) ??
    (loose ? { name: file } : types[0]);
  const inside = _package.exec(bare)?.[1]?.replace(/\s/g, "");
  const main = own?.name ?? "Main";
  return { file: `${file}.java`, main: inside ? `${inside}.${main}` : main };
}
