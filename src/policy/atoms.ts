/**
 * What an expression may be, as far as it can be told without running it: a few strings, each of which begins with
 * a letter. `p` is a name from outside (`pos.system`), `t` a text (`tos`), `c` a text that is put together at run time
 * (`cvisit_` begins with "visit_"), `f` a function of the code itself, by its node. None is anything at all.
 */
export type Atoms = readonly string[];

/** Anything at all. */
export const nothing: Atoms = Object.freeze([]);

/** Most values that are told apart; more become a text put together at run time. */
const _atomsMax = 48;
const _pathMax = 160;
const _textMax = 4_000;

/** A name from outside, with those before it. */
export function pathAtom(path: string): string | undefined {
  return path.length <= _pathMax ? `p${path}` : undefined;
}

/** All of several; `dropped` is told the names that were too many. */
export function union(
  all: readonly Atoms[],
  dropped: (path: string) => void,
): Atoms {
  let first = nothing;
  let merged: Set<string> | undefined;
  for (const atoms of all) {
    if (atoms.length === 0) continue;
    if (first.length === 0) {
      first = atoms;
      continue;
    }
    merged ??= new Set(first);
    for (const atom of atoms) {
      if (merged.size < _atomsMax) merged.add(atom);
      else if (!merged.has(atom)) {
        if (atom.startsWith("p")) dropped(atom.slice(1));
        merged.add("c");
      }
    }
  }
  return merged ? [...merged] : first;
}

/** The names from outside among them. */
export function pathsOf(atoms: Atoms): string[] {
  return atoms.filter((atom) => atom[0] === "p").map((atom) => atom.slice(1));
}

/** The texts among them. */
export function textsOf(atoms: Atoms): string[] {
  return atoms.filter((atom) => atom[0] === "t").map((atom) => atom.slice(1));
}

/** Whether they are texts and nothing else, so that every one can be checked. */
export function allTexts(atoms: Atoms): boolean {
  return atoms.length > 0 && atoms.every((atom) => atom[0] === "t");
}

/** Two texts, one after the other. */
export function concat(left: Atoms, right: Atoms): Atoms {
  const out = new Set<string>();
  if (!left.some(_isText)) return right.some(_isText) ? ["c"] : nothing;
  for (const a of left) {
    if (!_isText(a)) continue;
    if (a[0] === "c") out.add(a);
    else if (right.length === 0) out.add(`c${a.slice(1)}`);
    else {
      for (const b of right) {
        if (!_isText(b)) out.add(`c${a.slice(1)}`);
        else {
          const text = a.slice(1) + b.slice(1);
          out.add(text.length > _textMax ? "c" : b[0] + text);
        }
        if (out.size > _atomsMax) return ["c"];
      }
    }
  }
  return [...out];
}

const _isText = (atom: string) => atom[0] === "t" || atom[0] === "c";

/** Whether a text put together at run time may be a name with underscores in front, as those have that lead inside. */
export function mayBeInner(atoms: Atoms): boolean {
  return atoms.some((atom) =>
    atom[0] === "c" && (atom.length === 1 || atom[1] === "_")
  );
}
